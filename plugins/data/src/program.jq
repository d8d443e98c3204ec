# What jq has and the standard library of the interpreter has not, or has with another meaning.

def halt_error: error;
def halt_error($code): error;

def toarray: if isarray then . else [.] end;
def trimstr($s): ltrimstr($s) | rtrimstr($s);
def leaf_paths: paths(scalars);

def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(rows; f): reduce rows as $row ({}; .[$row | f | tostring] = $row);
def INDEX(f): INDEX(.[]; f);

# Null joins as nothing, an array or object not at all.
def join($s):
  def piece: if . == null then "" elif isstring then . elif isarray or isobject then error("cannot join \(.)") else tojson end;
  reduce .[] as $x (null; (if . == null then "" else . + $s end) + ($x | piece)) // "";

# Entries may be called name, k and v as well, and keys become text.
def from_entries:
  def entry_key: if .key == null then .k // .name // .Name // .K // .Key else .key end;
  def entry_value: if has("value") then .value elif has("v") then .v else .Value end;
  reduce .[] as $x ({}; . + ($x | { (entry_key | if isstring then . else tojson end): entry_value }));

def @csv:
  def quoted: "\"" + (split("\"") | join("\"\"")) + "\"";
  map(if isstring then quoted elif isarray or isobject then error("cannot write \(.) as a field of CSV") else . end) | join(",");

def @tsv:
  def swap($from; $to): split($from) | join($to);
  def escaped: swap("\\"; "\\\\") | swap("\t"; "\\t") | swap("\n"; "\\n") | swap("\r"; "\\r");
  map(if isstring then escaped elif isarray or isobject then error("cannot write \(.) as a field of TSV") else . end) | join("\t");
