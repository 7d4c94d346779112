-- Converts pieces of notebooks (Markdown, HTML tables) to Typst markup.
--
-- `pandoc lua convert.lua < jobs.json`, so that one pandoc process serves a whole
-- report: starting pandoc for every cell would take most of the build.
--
-- Input:  a list of jobs, each with `kind` ("markdown": a cell; "inline": a caption
--         or a sentence; "table": HTML with a table), `text`, `notebook` (the key that
--         the labels of a notebook start with), `front` (whether headings are
--         unnumbered), `claims` (whether True and False are drawn as marks) and
--         `images` (what the paths of copied images start with).
-- Output: one result a job: `typst`, and lists of what Python has to check or to do:
--         `labels`, `references`, `files`, `images`, `headings`, `problems`.

local READER = "commonmark+tex_math_dollars+pipe_tables+strikeout+task_lists"
  .. "+autolink_bare_uris+footnotes+smart+raw_html"

local job      -- The job at work.
local result   -- What is known about it so far.
local named = {}   -- The labels of headings: the first of equal headings gets it.

local function problem(text) result.problems:insert(text) end

-- A Typst string literal. Typst knows no \b, \f and \uXXXX, hence not JSON.
local function quoted(text)
  text = text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", "\\n"):gsub("\t", "\\t")
  return '"' .. text .. '"'
end

local function squeezed(text)
  return (text:gsub("\u{a0}", " "):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function typst_inlines(inlines)
  local text = pandoc.write(pandoc.Pandoc({ pandoc.Plain(inlines) }), "typst")
  return (text:gsub("%s+$", ""))
end

---- Formulas -----------------------------------------------------------------------

-- LaTeX that pandoc accepts and then loses: better an error than a wrong formula.
local LOST = {
  { "\\left%s*%.", "\\left. (write the bar with \\Big| instead)" },
  { "\\right%s*%.", "\\right. (use the cases environment instead)" },
  { "\\begin{array}", "the array environment (use pmatrix, cases or aligned)" },
  { "\\color", "\\color" },
}

-- Symbols whose names Typst gave up, operators, and large delimiters.
-- %f[%w] and %f[%W] are the borders of a word.
local RENAMED = {
  ["%f[%w]dot%.circle%f[%W]"] = "dot.o",
  ["%f[%w]times%.circle%f[%W]"] = "times.o",
  ["%f[%w]minus%.circle%f[%W]"] = "minus.o",
  ["%f[%w]ast%.circle%f[%W]"] = "ast.op.o",
  ["%f[%w]xor%f[%W]"] = "plus.o",
  ["%f[%w]sect%f[%W]"] = "inter",
  ["%f[%w]angle%.l%f[%W]"] = "chevron.l",
  ["%f[%w]angle%.r%f[%W]"] = "chevron.r",
  ["%f[%w]arg min_"] = 'op("arg min", limits: #true)_',
  ["%f[%w]arg max_"] = 'op("arg max", limits: #true)_',
  ['"(arg[^%a"]*m[ai][xn])"_'] = 'op("%1", limits: #true)_',
  ["#scale%(x: (%d+)%%, y: %d+%%%)%[(\\?.)%]"] = "lr(%2, size: #%1%%)",
}

-- TeX sets the pairs of an alignment apart, and the conditions of cases from their
-- values; Typst does not. Puts a space before these "&"; strings and escapes are text.
local function with_gaps(typst)
  local out, calls, pairs_seen, i = pandoc.List(), pandoc.List(), 0, 1
  while i <= #typst do
    local sign = typst:match('^"[^"]*"', i) or typst:match("^\\%S", i) or typst:sub(i, i)
    local call = calls[#calls]
    i = i + #sign
    if sign == "(" then
      calls:insert(typst:sub(1, i - 2):match("%a*$"))
    elseif sign == ")" then
      calls:remove()
    elseif sign == "\\" and not call then
      pairs_seen = 0   -- The next line.
    elseif sign == "&" then
      if not call then pairs_seen = pairs_seen + 1 end
      if call == "cases" then sign = "quad &" end
      if not call and pairs_seen % 2 == 0 then sign = "wide &" end
    end
    out:insert(sign)
  end
  return table.concat(out)
end

local function repaired(typst, latex)
  for old, new in pairs(RENAMED) do typst = typst:gsub(old, new) end
  typst = typst:gsub(" ?\\|_", "\\|_"):gsub("\\| ", "\\|"):gsub(" \\|", "\\|")
  typst = with_gaps(typst)
  if latex:find("\\begin{vmatrix}", 1, true) then
    typst = typst:gsub('delim: "||"', 'delim: "|"')
  else
    typst = typst:gsub('delim: "||"', 'delim: "‖"')
  end
  typst = typst:gsub("upright%((%a[ %a]*%a)%)", function(letters)
    if letters:find("%a%a") then return nil end   -- The name of a symbol.
    return 'upright("' .. letters:gsub(" ", "") .. '")'
  end)
  return (typst:gsub('(upright%("[^"]*"%)) \\%(', "%1\\("))   -- Like sin(x).
end

-- \| is "parallel" to pandoc; between a pair of them stands a norm. Of all the ways to
-- write one, only \lVert x \rVert gets bars that grow with it and take its scripts.
local function with_norms(latex)
  for _, bar in ipairs({ "\\|", "\\[lr]?Vert%f[%A]" }) do
    for _, size in ipairs({ "\\[bB]igg?[lrm]?%s*", "\\left%s*", "\\right%s*", "" }) do
      latex = latex:gsub(size .. bar, "\\|")
    end
  end
  local open = false
  return (latex:gsub("\\|", function()
    open = not open
    return open and "\\lVert " or "\\rVert "
  end))
end

local function formula(latex, block)
  local name = latex:match("\\label%s*{([^}]*)}")
  latex = latex:gsub("\\label%s*{[^}]*}", ""):gsub("\\tag%*?{[^}]*}", "")
  latex = latex:gsub("\\nonumber%f[%A]", ""):gsub("\\notag%f[%A]", "")
  for _, lost in ipairs(LOST) do
    if latex:find(lost[1]) then
      problem("the formula uses " .. lost[2] .. ". Received: " .. squeezed(latex))
    end
  end
  local kind = block and "DisplayMath" or "InlineMath"
  local typst = typst_inlines({ pandoc.Math(kind, with_norms(latex)) })
  if not typst:match("^%$.*%$$") then
    problem("pandoc cannot read the formula. Received: " .. squeezed(latex))
    typst = "$$"
  end
  local arguments = ", alt: " .. quoted(squeezed(latex)) .. ", block: " .. tostring(block)
  if name then
    if not block or not name:match("^eq%-[%w-]+$") then
      problem('a formula\'s label is \\label{eq-name}, in a displayed formula. Received: "'
        .. name .. '"')
    end
    result.labels:insert(name)
    arguments = arguments .. ", name: " .. quoted(job.notebook .. ":" .. name)
  end
  typst = repaired(typst, latex):gsub("\n", " ")
  -- The semicolon keeps "(", "[" or "." of the sentence from joining the call.
  return pandoc.RawInline("typst", "#formula(" .. typst .. arguments .. ");")
end

---- Links, headings, images ----------------------------------------------------------

local function link(element)
  local target = element.target:gsub("%%(%x%x)", function(hexadecimal)
    return string.char(tonumber(hexadecimal, 16))
  end)
  if target:match("^%a[%w+.-]*:") then return nil end   -- Has a scheme: the web.
  local path, anchor = target:match("^([^#]*)#?(.*)$")
  if path ~= "" and not path:match("%.ipynb$") then
    result.files:insert(path)   -- A PDF travels alone; a link to a file would be dead.
    return element.content
  end
  local notebook = path == "" and job.notebook or path:match("([^/]+)%.ipynb$")
  local name = anchor == "" and notebook or notebook .. ":" .. anchor
  result.references:insert({ target = element.target, path = path, name = name })
  return pandoc.RawInline("typst", "#cross-reference(" .. quoted(name) .. ")["
    .. typst_inlines(element.content) .. "];")
end

local function heading(element)
  local anchor = squeezed(pandoc.utils.stringify(element.content)):gsub(" ", "-")
  local number
  if element.level == 1 and element.content[1] and element.content[1].t == "Str" then
    number = element.content[1].text:match("^(%d+)%.?$")
    if number then
      element.content:remove(1)
      while element.content[1] and element.content[1].t == "Space" do
        element.content:remove(1)
      end
    end
  end
  local name = element.level == 1 and job.notebook or job.notebook .. ":" .. anchor
  local label = named[name] and "" or "#label(" .. quoted(name) .. ")"
  named[name] = true
  local text = squeezed(pandoc.utils.stringify(element.content))
  result.headings:insert({ level = element.level, number = number, name = name, text = text })
  local level = job.front and math.max(element.level - 1, 1) or element.level
  local style = ""
  if job.front then
    style = ", numbering: none"
  elseif text == "References" then
    style = ", numbering: none, outlined: false, bookmarked: true"   -- One a chapter.
  end
  return pandoc.RawBlock("typst", "#heading(level: " .. level .. style .. ")["
    .. typst_inlines(element.content) .. "]" .. label)
end

local function picture(source, alt, width)
  alt = squeezed(alt)
  if alt == "" then
    problem('an image has no alternative text. Received: "' .. source .. '"')
  end
  local extension = source:match("%.%w+$") or ".png"
  local copy = job.images .. "-" .. (#result.images + 1) .. extension:lower()
  result.images:insert({ source = source, copy = copy })
  return "#picture(" .. quoted(copy) .. ", alt: " .. quoted(alt)
    .. (width and ", width: " .. width or "") .. ");"
end

local function image(element)
  return pandoc.RawInline("typst", "#box[" ..
    picture(element.src, pandoc.utils.stringify(element.caption)) .. "];")
end

-- A paragraph that is one image is a figure; the image's title is its caption.
local function paragraph(element)
  if #element.content ~= 1 or element.content[1].t ~= "Image" then return nil end
  local only = element.content[1]
  local drawn = picture(only.src, pandoc.utils.stringify(only.caption))
  local caption = only.title ~= "" and "[" .. typst_inlines(only.title) .. "]" or "none"
  return pandoc.RawBlock("typst", "#floated(caption: " .. caption .. ")[" .. drawn .. "]")
end

---- Raw HTML and leftovers -----------------------------------------------------------

local function html(element)
  if element.format ~= "html" then return nil end
  local text = element.text
  local block = element.t == "RawBlock"
  if text:match("^<br%s*/?>%s*$") then return block and {} or pandoc.LineBreak() end
  if text:match("^<!%-%-") then return {} end
  if text:match("^</?a[ >]") and not text:find("href") then return {} end   -- An anchor.
  if text:match("^%s*<img") then
    local source = text:match("src%s*=%s*[\"']([^\"']*)")
    local alt = text:match('alt%s*=%s*"([^"]*)') or text:match("alt%s*=%s*'([^']*)") or ""
    local width = text:match("width%s*[=:]%s*[\"']?(%d+%%)")
    if source then
      local drawn = picture(source, alt, width)
      if block then return pandoc.RawBlock("typst", "#floated[" .. drawn .. "]") end
      return pandoc.RawInline("typst", "#box[" .. drawn .. "];")
    end
  end
  problem("raw HTML cannot be typeset. Received: " .. squeezed(text))
  return {}
end

local function word(element)
  if element.text == "$" or element.text:find("\\%a%a") then
    problem("LaTeX outside of a formula (write $x$ without spaces inside the dollars). "
      .. "Received: " .. element.text)
  end
end

---- Tables ---------------------------------------------------------------------------

local SUPERSCRIPTS = { ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴",
  ["5"] = "⁵", ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹", ["-"] = "⁻" }

local function is_number(text)
  if text:find("[(%[].*,") then return false end   -- A shape or an interval.
  for _, sign in ipairs({ "−", "–", "±", "×", "·", "⁰", "¹", "²", "³", "⁴", "⁵", "⁶",
    "⁷", "⁸", "⁹", "⁻", ",", "%%", "%s" }) do
    text = text:gsub(sign, "")
  end
  if text:lower() == "nan" or text == "None" then return true end
  return text:match("^[%d.()+-]*$") ~= nil or text:match("^[%d.+-]+[eE][%d+-]+$") ~= nil
end

-- A true minus before each negative number. Typst sets one after a space only, so that
-- one interval would show two signs.
local function with_minus(text)
  return (text:gsub("^%-(%.?%d)", "−%1"):gsub("([%s(%[])%-(%.?%d)", "%1−%2"))
end

-- A number as print sets it: a true minus, a power of ten, a dash for what is missing.
local function number_text(text)
  if text:lower() == "nan" or text == "None" then return "–" end
  text = with_minus(text):gsub("^%-", "−")
  return (text:gsub("(%d)[eE]([+-]?)0*(%d+)", function(digit, sign, exponent)
    local power = (sign == "-" and "-" or "") .. exponent
    return digit .. "×10" .. power:gsub(".", SUPERSCRIPTS)
  end))
end

-- The rows of a table as cells that know their column, spans counted.
local function placed(rows, taken)
  local out = pandoc.List()
  for r, row in ipairs(rows) do
    local column, cells = 1, pandoc.List()
    for _, cell in ipairs(row.cells) do
      while taken[r .. "," .. column] do column = column + 1 end
      for i = 0, cell.row_span - 1 do
        for k = 0, cell.col_span - 1 do taken[(r + i) .. "," .. (column + k)] = true end
      end
      cells:insert({ column = column, rows = cell.row_span, columns = cell.col_span,
        blocks = cell.contents, text = squeezed(pandoc.utils.stringify(cell.contents)) })
      column = column + cell.col_span
    end
    out:insert(cells)
  end
  return out
end

local function simple(row, width)
  if #row ~= width then return false end
  for _, cell in ipairs(row) do
    if cell.rows ~= 1 or cell.columns ~= 1 then return false end
  end
  return true
end

-- pandas writes the names of the index into a header row of their own: fold it up.
local function fold_header(head, width)
  local upper, lower = head[#head - 1], head[#head]
  if not upper or not simple(upper, width) or not simple(lower, width) then return end
  for k = 1, width do
    if upper[k].text ~= "" and lower[k].text ~= "" then return end
  end
  for k = 1, width do
    if upper[k].text == "" then upper[k] = lower[k] end
  end
  head:remove(#head)
end

-- A nameless index 0, 1, 2, ... says nothing in print.
local function drop_counter(head, body, width)
  if #head ~= 1 or #body == 0 or head[1][1].text ~= "" then return width end
  for r, row in ipairs(body) do
    if not row[1] or row[1].column ~= 1 or row[1].text ~= tostring(r - 1) then
      return width
    end
  end
  for _, rows in ipairs({ head, body }) do
    for _, row in ipairs(rows) do
      row:remove(1)
      for _, cell in ipairs(row) do cell.column = cell.column - 1 end
    end
  end
  return width - 1
end

local function is_plain(blocks)
  local plain = true
  for _, inline in ipairs(pandoc.utils.blocks_to_inlines(blocks)) do
    plain = plain and (inline.t == "Str" or inline.t == "Space")
  end
  return plain
end

local function cell_markup(cell, numeric, header)
  local markup
  if job.claims and (cell.text == "True" or cell.text == "False") then
    markup = "#mark(" .. cell.text:lower() .. ");"
  elseif numeric and not header and is_plain(cell.blocks) then
    markup = typst_inlines(pandoc.Inlines(number_text(cell.text)))
  elseif with_minus(cell.text) ~= cell.text and is_plain(cell.blocks) then
    markup = typst_inlines(pandoc.Inlines(with_minus(cell.text)))
  else
    markup = pandoc.write(pandoc.Pandoc(cell.blocks), "typst"):gsub("%s+$", "")
    markup = markup:gsub("^%s+", "")
  end
  if header then markup = "#strong[" .. markup .. "]" end
  if cell.rows == 1 and cell.columns == 1 then return "[" .. markup .. "]" end
  local spans = "rowspan: " .. cell.rows .. ", colspan: " .. cell.columns
  if header and cell.columns > 1 then spans = spans .. ", align: center" end
  return "table.cell(" .. spans .. ")[" .. markup .. "]"
end

local function table_markup(element)
  local width = #element.colspecs
  local head = placed(element.head.rows, {})
  local rows = pandoc.List()
  for _, body in ipairs(element.bodies) do
    rows:extend(body.head)
    rows:extend(body.body)
  end
  rows:extend(element.foot.rows)
  local body = placed(rows, {})
  fold_header(head, width)
  width = drop_counter(head, body, width)

  local numeric = {}
  for k = 1, width do numeric[k] = #body > 0 end
  for _, row in ipairs(body) do
    for _, cell in ipairs(row) do
      if cell.columns == 1 and not is_number(cell.text) then numeric[cell.column] = false end
    end
  end
  local alignments = {}
  for k = 1, width do
    local given = element.colspecs[k] and element.colspecs[k][1]
    local align = numeric[k] and "right" or "left"
    if job.claims and not numeric[k] and k > 1 then align = "center" end
    if job.kind ~= "table" and given == "AlignCenter" then align = "center" end
    if job.kind ~= "table" and given == "AlignRight" then align = "right" end
    alignments[k] = align
  end

  local lines = pandoc.List()
  local function add(list, header)
    for _, row in ipairs(list) do
      local cells = pandoc.List()
      for _, cell in ipairs(row) do
        cells:insert(cell_markup(cell, numeric[cell.column], header))
      end
      lines:insert("  " .. table.concat(cells, ", ") .. ",")
    end
  end
  lines:insert("#ruled(" .. width .. ", (" .. table.concat(alignments, ", ") .. ",),")
  local has_head = false
  for _, row in ipairs(head) do
    for _, cell in ipairs(row) do has_head = has_head or cell.text ~= "" end
  end
  if has_head then
    lines:insert("  table.header(top-rule,")
    add(head, true)
    lines:insert("  middle-rule),")
  else
    lines:insert("  top-rule,")
  end
  add(body, false)
  lines:insert("  bottom-rule)")
  return table.concat(lines, "\n")
end

---- Jobs -----------------------------------------------------------------------------

local CONTENT = {   -- First: these need the elements as pandoc read them.
  Str = word,
  Math = function(element) return formula(element.text, element.mathtype == "DisplayMath") end,
  RawBlock = html,
  RawInline = html,
}
local LINKS = { Link = link }
local PARAGRAPHS = { Para = paragraph }   -- Before their images are drawn inline.
local BLOCKS = {
  Image = image,
  Header = heading,
  Table = function(element)
    return pandoc.RawBlock("typst", "#floated(kind: table)[" .. table_markup(element) .. "]")
  end,
}

local function converted(document)
  for _, filter in ipairs({ CONTENT, LINKS, PARAGRAPHS, BLOCKS }) do
    document = document:walk(filter)
  end
  return document
end

local KINDS = {}

local function wrapped(call, blocks)
  local out = pandoc.List({ pandoc.RawBlock("typst", "#" .. call .. "[") })
  out:extend(blocks)
  out:insert(pandoc.RawBlock("typst", "]"))
  return out
end

-- One short paragraph between a heading and the end of the cell leads to what the next
-- cell shows: a page does not end between them.
local function with_lead(blocks)
  local last, before = blocks[#blocks], blocks[#blocks - 1]
  if not before or before.t ~= "Header" or last.t ~= "Para" then return blocks end
  if #pandoc.utils.stringify(last) > 300 then return blocks end
  blocks:remove()
  blocks:extend(wrapped("lead", { last }))
  return blocks
end

local function with_references(blocks)
  for k, block in ipairs(blocks) do
    if block.t == "Header" and pandoc.utils.stringify(block) == "References" then
      local entries = pandoc.List()
      while blocks[k + 1] and blocks[k + 1].t ~= "Header" do
        entries:insert(blocks:remove(k + 1))
      end
      for offset, one in ipairs(wrapped("references", entries)) do
        blocks:insert(k + offset, one)
      end
      return blocks
    end
  end
  return blocks
end

-- The line end is pandoc's: without it the last row of a table is lost.
function KINDS.markdown()
  local document = pandoc.read(job.text .. "\n", READER)
  document.blocks = with_references(with_lead(document.blocks))
  return pandoc.write(converted(document), "typst")
end

-- The number or the sign that a sentence starts with begins no list, heading or quote.
function KINDS.inline()
  local text = job.text:gsub("^%s*", ""):gsub("^(%d+)([.)])", "%1\\%2")
  text = text:gsub("^[-+*#>]+%f[%s]", "\\%0")
  local document = converted(pandoc.read(text .. "\n", READER))
  local inlines = pandoc.utils.blocks_to_inlines(document.blocks)
  return typst_inlines(inlines)
end

function KINDS.table()
  local typst
  pandoc.read(job.text, "html-native_divs-native_spans"):walk({
    Table = function(element) typst = typst or table_markup(element) end,
  })
  if not typst then problem("the HTML holds no table pandoc can read") end
  return typst or ""
end

local results = pandoc.List()
for _, next_job in ipairs(pandoc.json.decode(io.read("a"), false)) do
  job = next_job
  result = { typst = "" }
  for _, list in ipairs({ "labels", "references", "files", "images", "headings", "problems" }) do
    result[list] = pandoc.List()
  end
  result.typst = KINDS[job.kind]()
  results:insert(result)
end
io.write(pandoc.json.encode(results))
