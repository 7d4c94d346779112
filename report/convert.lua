-- Converts pieces of notebooks to Typst markup: `pandoc lua convert.lua < jobs.json`.
-- A job has a `kind` ("markdown": a cell; "inline": a caption or a sentence; "table": HTML),
-- a `text`, the `notebook` (the key that its labels start with), and is on the `front` page
-- or not. Its result has the markup as `typst`, and lists of what Python has to check:
-- `labels`, `references`, `headings`, `problems`, and of the `works` under "References".

local READER = "commonmark+tex_math_dollars+pipe_tables+autolink_bare_uris+smart+raw_html"
local job, result   -- The job at work, and what is known about it so far.
local named = {}   -- The labels of headings: the first of equal headings gets it.

local function squeezed(text)
  return (text:gsub("\u{a0}", " "):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function problem(text, received)
  result.problems:insert(text .. ". Received: " .. squeezed(received))
end

-- A Typst string literal. Typst knows no \b, \f and \uXXXX, hence not JSON.
local function quoted(text)
  return '"' .. squeezed(text):gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

local function typst_of(blocks)
  return (pandoc.write(pandoc.Pandoc(blocks), "typst"):gsub("^%s+", ""):gsub("%s+$", ""))
end

local function typst_inlines(inlines) return typst_of({ pandoc.Plain(inlines) }) end

---- Formulas -----------------------------------------------------------------------
-- What pandoc reads in another way than TeX; a norm is \lVert x \rVert.
local LOST = { "\\left%s*%.", "\\right%s*%.", "\\begin{array}", "\\|" }

-- TeX sets the pairs of an alignment apart, Typst does not.
local function with_gaps(latex)
  if not latex:find("\\begin{align") then return latex end
  local count = 0
  return (latex:gsub("\\?[&\\]", function(sign)
    if sign == "\\\\" then count = 0 end   -- The next line.
    if sign == "&" then count = count + 1 end
    return sign == "&" and count > 0 and count % 2 == 0 and "\\qquad &" or nil
  end))
end

local function formula(element)
  local block = element.mathtype == "DisplayMath"
  local name = element.text:match("\\label%s*{([^}]*)}")
  local latex = element.text:gsub("\\label%s*{[^}]*}", "")
  for _, lost in ipairs(LOST) do
    if latex:find(lost) then problem("the formula would lose its " .. lost, latex) end
  end
  local typst = typst_inlines({ pandoc.Math(element.mathtype, with_gaps(latex)) })
  if not typst:match("^%$.*%$$") then problem("pandoc cannot read the formula", latex) end
  typst = typst:gsub("dot%.circle", "dot.o"):gsub(" ?\\|_", "\\|_"):gsub(" ?\\| ?", "\\|")
  typst = typst:gsub("upright%((%a[ %a]*%a)%)", function(letters)
    if letters:find("%a%a") then return nil end   -- The name of a symbol.
    return 'upright("' .. letters:gsub(" ", "") .. '")'
  end)
  typst = typst:gsub('(upright%("[^"]*"%)) \\%(', "%1\\("):gsub("\n", " ")   -- Like sin(x).
  local arguments = ", alt: " .. quoted(latex) .. ", block: " .. tostring(block)
  if name then
    result.labels:insert(name)
    arguments = arguments .. ", name: " .. quoted(job.notebook .. ":" .. name)
  end
  -- The semicolon keeps "(", "[" or "." of the sentence from joining the call.
  return pandoc.RawInline("typst", "#formula(" .. typst .. arguments .. ");")
end

---- Links, headings, leftovers -----------------------------------------------------
local function link(element)
  if element.target:match("^%a[%w+.-]*:") then return nil end   -- Has a scheme: the web.
  local path, anchor = element.target:match("^([^#]*)#?(.*)$")
  local notebook = path == "" and job.notebook or path:match("([^/]*)%.ipynb$") or path
  local name = anchor == "" and notebook or notebook .. ":" .. anchor
  result.references:insert({ target = element.target, path = path, name = name })
  return pandoc.RawInline("typst", "#cross-reference(" .. quoted(name) .. ")["
    .. typst_inlines(element.content) .. "];")
end

local function heading(element)
  local text, level = squeezed(pandoc.utils.stringify(element.content)), element.level
  local number = text:match("^(%d+)%.? ")   -- The report counts by itself.
  if number and level < 3 then element.content = { table.unpack(element.content, 3) } end
  if level > 1 then number = nil end
  local name = level == 1 and job.notebook or job.notebook .. ":" .. text:gsub(" ", "-")
  local label = named[name] and "" or "#label(" .. quoted(name) .. ")"
  named[name] = true
  result.headings:insert({ level = level, number = number, name = name, text = text })
  local style = ""
  if job.front then
    level, style = math.max(level - 1, 1), ", numbering: none"
  end
  return pandoc.RawBlock("typst", "#heading(level: " .. level .. style .. ")["
    .. typst_inlines(element.content) .. "]" .. label)
end

local function refused(element)
  if element.format == "typst" then return nil end   -- Our own.
  problem("images and raw HTML cannot be typeset", element.text or element.src)
  return {}
end

local function word(element)
  if element.text == "$" or element.text:find("\\%a%a") then
    problem("LaTeX should stand between dollars, as $x$, without spaces inside", element.text)
  end
end

---- Tables ---------------------------------------------------------------------------
local SUPERSCRIPTS = { ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴",
  ["5"] = "⁵", ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹", ["-"] = "⁻" }

local function is_missing(text) return text == "NaN" or text == "nan" or text == "None" end
local function is_number(text)
  if is_missing(text) then return true end
  if text:find("[(%[].*,") then return false end   -- A shape or an interval.
  text = text:gsub("(%d)[eE][+-]?%d+", "%1")
  for _, sign in ipairs({ "−", "–", "±", "×", "·", ",", "%%", "%s" }) do
    text = text:gsub(sign, "")
  end
  return text:match("^[%d.()+-]*$") ~= nil
end

-- Sets true minus signs (Typst does so only after a space), dashes and powers of ten.
local function printed(text, numeric)
  if numeric and is_missing(text) then return "–" end
  text = text:gsub("^%-(%.?%d)", "−%1"):gsub("([%s(%[])%-(%.?%d)", "%1−%2")
  if not numeric then return text end
  return (text:gsub("^%-", "−"):gsub("^0[.0]*e%+00$", "0"):gsub("(%d)[eE](%-?)%+?0*(%d+)", function(digit, sign, power)
    return digit .. "×10" .. (sign .. power):gsub(".", SUPERSCRIPTS)
  end))
end

-- The rows of a table as cells that know their column, spans counted.
local function placed(rows)
  local taken = {}
  return rows:map(function(row, r)
    local column = 1
    return row.cells:map(function(cell)
      while taken[r .. "," .. column] do column = column + 1 end
      for i = r, r + cell.row_span - 1 do
        for k = column, column + cell.col_span - 1 do taken[i .. "," .. k] = true end
      end
      column = column + cell.col_span
      return { column = column - cell.col_span, rows = cell.row_span, columns = cell.col_span,
        blocks = cell.contents, text = squeezed(pandoc.utils.stringify(cell.contents)) }
    end)
  end)
end

-- pandas writes the names of the index into a header row of their own: fold it up. The
-- name of the columns shares a cell with one of them.
local function fold_header(head, width)
  local upper, lower = head[#head - 1], head[#head]
  if not upper or #upper ~= width or #lower ~= width then return end
  local shared = 0
  for k = 1, width do
    if upper[k].text ~= "" and lower[k].text ~= "" then shared = shared + 1 end
  end
  if shared > 1 then return end
  for k = 1, width do
    local name, below = upper[k].text, lower[k].text
    if below ~= "" then upper[k] = lower[k] end
    if below ~= "" and name ~= "" then upper[k].text = below .. " / " .. name end
  end
  head:remove(#head)
end

-- A nameless index 0, 1, 2, ... says nothing in print.
local function drop_counter(head, body, width)
  if #head ~= 1 or head[1][1].text ~= "" then return width end
  for r, row in ipairs(body) do
    if not row[1] or row[1].text ~= tostring(r - 1) then return width end
  end
  for _, row in ipairs(head .. body) do
    row:remove(1)
    for _, cell in ipairs(row) do cell.column = cell.column - 1 end
  end
  return width - 1
end

local function cell_markup(cell, numeric, header)
  local formatted = pandoc.utils.blocks_to_inlines(cell.blocks):find_if(function(inline)
    return inline.t ~= "Str" and inline.t ~= "Space"
  end)
  local markup = formatted and typst_of(cell.blocks)
    or typst_inlines(pandoc.Inlines(header and cell.text:gsub("_", " ")
      or printed(cell.text, numeric)))
  if header then markup = "#strong[" .. markup .. "]" end
  if cell.rows == 1 and cell.columns == 1 then return "[" .. markup .. "]" end
  local spans = "rowspan: " .. cell.rows .. ", colspan: " .. cell.columns
  if header and cell.columns > 1 then spans = spans .. ", align: center" end
  return "table.cell(" .. spans .. ")[" .. markup .. "]"
end

local function table_markup(element)
  local width = #element.colspecs
  local head, body = placed(element.head.rows), placed(element.bodies[1].body)
  fold_header(head, width)
  width = drop_counter(head, body, width)
  local alignments = {}
  for k = 1, width do alignments[k] = "right" end
  for _, row in ipairs(body) do
    for _, cell in ipairs(row) do
      if cell.columns == 1 and not is_number(cell.text) then alignments[cell.column] = "left" end
    end
  end
  local function lines(rows, header)
    return table.concat(rows:map(function(row)
      return "  " .. table.concat(row:map(function(cell)
        return cell_markup(cell, alignments[cell.column] == "right", header)
      end), ", ") .. ",\n"
    end))
  end
  return "#ruled((" .. table.concat(alignments, ", ") .. ",),\n  table.header(top-rule,\n"
    .. lines(head, true) .. "  middle-rule),\n" .. lines(body, false) .. "  bottom-rule)"
end

---- Jobs -----------------------------------------------------------------------------
local FILTERS = {   -- First those that need the elements as pandoc read them.
  { Str = word, Math = formula, RawBlock = refused, RawInline = refused, Image = refused },
  { Link = link },
  { Header = heading, Table = function(element)
    return pandoc.RawBlock("typst", "#floated(kind: table)[" .. table_markup(element) .. "]")
  end },
}

local function converted(document)
  for _, filter in ipairs(FILTERS) do document = document:walk(filter) end
  return document
end

local function collect_works(block)
  if block.t ~= "BulletList" then
    return problem("References are one list, and end the cell", pandoc.utils.stringify(block))
  end
  for _, item in ipairs(block.content) do
    local text = squeezed(pandoc.utils.stringify(item))
    local typst = typst_of(converted(pandoc.Pandoc(item)).blocks)
    result.works:insert({ text = text, typst = typst })
  end
end

local KINDS = {}
function KINDS.markdown(text)
  local document = pandoc.read(text, READER)
  local blocks = document.blocks
  local _, start = blocks:find_if(function(block)
    return block.t == "Header" and pandoc.utils.stringify(block) == "References"
  end)
  while start and blocks[start + 1] do   -- The report has one list of them all.
    collect_works(blocks:remove(start + 1))
  end
  if start then blocks:remove(start) end
  local is_lead = #blocks > 1 and blocks[#blocks - 1].t == "Header" and blocks[#blocks].t == "Para"
  if is_lead and #pandoc.utils.stringify(blocks[#blocks]) <= 300 then
    blocks:insert(#blocks, pandoc.RawBlock("typst", "#lead["))   -- To what the next cell shows.
    blocks:insert(pandoc.RawBlock("typst", "]"))
  end
  return pandoc.write(converted(document), "typst")
end

-- The number or the sign that a sentence starts with begins no list, heading or quote.
function KINDS.inline(text)
  text = text:gsub("^%s*", ""):gsub("^(%d+)([.)])", "%1\\%2")
  text = text:gsub("^[-+*#>]+%f[%s]", "\\%0")
  return typst_inlines(pandoc.utils.blocks_to_inlines(converted(pandoc.read(text, READER)).blocks))
end

function KINDS.table(text)
  local found
  pandoc.read(text, "html"):walk({ Table = function(element) found = found or element end })
  return table_markup(found)
end

local results = pandoc.List()
for _, next_job in ipairs(pandoc.json.decode(io.read("a"), false)) do
  job, result = next_job, {}
  for _, list in ipairs({ "labels", "references", "headings", "problems", "works" }) do
    result[list] = pandoc.List()
  end
  -- The line end is pandoc's: without it the last row of a table is lost.
  result.typst = KINDS[job.kind](job.text .. "\n")
  results:insert(result)
end
io.write(pandoc.json.encode(results))
