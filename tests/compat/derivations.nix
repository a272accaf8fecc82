# Thirty derivations and more, each for one thing a .drv file can hold.
let
  make = name: extra: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; } // extra);
  sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
in rec {
  minimal = make "minimal" { };
  version = make "hello-2.12.1" { version = "2.12.1"; };
  name-of-every-character = make "aZ09+-._?=" { };
  arguments = make "arguments" { args = [ "-c" "echo $out" "" "a b" ]; };
  quotes = make "quotes" { text = ''a "quoted" \ backslash \n not a newline''; };
  whitespace = make "whitespace" { text = "tab\there\nline\rreturn"; };
  ends-in-backslash = make "ends-in-backslash" { text = "\\"; };
  control = make "control" { text = builtins.fromJSON ''"\u0001\u001b[31m\u007f"''; };
  latin = make "latin" { "clé" = "é"; };
  japanese = make "japanese" { text = "日本語 😀"; };
  empty-value = make "empty-value" { text = ""; };
  numbers = make "numbers" { one = 1; yes = true; no = false; nothing = null; };
  list = make "list" { things = [ "a" "b" 3 ]; };
  many-variables = make "many-variables"
    (builtins.listToAttrs (map (n: { name = "v${toString n}"; value = n; }) (builtins.genList (n: n) 200)));
  long-value = make "long-value" { text = builtins.concatStringsSep "," (map toString (builtins.genList (n: n) 20000)); };
  two-outputs = make "two-outputs" { outputs = [ "out" "dev" ]; };
  no-out = make "no-out" { outputs = [ "lib" "bin" ]; };
  many-outputs = make "many-outputs" { outputs = [ "out" "bin" "dev" "doc" "lib" "man" ]; };
  flat-sha256 = make "flat-sha256" { outputHash = sha256; outputHashAlgo = "sha256"; outputHashMode = "flat"; };
  flat-other-url = make "flat-sha256" { outputHash = sha256; outputHashAlgo = "sha256"; url = "https://other"; };
  recursive-sha256 = make "recursive-sha256" { outputHash = sha256; outputHashAlgo = "sha256"; outputHashMode = "recursive"; };
  flat-sri = make "flat-sri" { outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; };
  flat-sha1 = make "flat-sha1" { outputHash = "a9993e364706816aba3e25717850c26c9cd0d89d"; outputHashAlgo = "sha1"; };
  recursive-sha1 = make "recursive-sha1" { outputHash = "a9993e364706816aba3e25717850c26c9cd0d89d"; outputHashAlgo = "sha1"; outputHashMode = "recursive"; };
  flat-md5 = make "flat-md5" { outputHash = "900150983cd24fb0d6963f7d28e17f72"; outputHashAlgo = "md5"; };
  recursive-sha512 = make "recursive-sha512" {
    outputHashMode = "recursive"; outputHashAlgo = "sha512";
    outputHash = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
  };
  text-source = make "text-source" { script = builtins.toFile "script.sh" "echo hi\n"; };
  text-with-reference = make "text-with-reference" {
    script = builtins.toFile "outer" "cat ${builtins.toFile "inner" "x"}";
  };
  tree-source = make "tree-source" { src = ./derivations.nix; };
  input = make "input" { dependency = minimal; };
  input-of-one-output = make "input-of-one-output" { dependency = two-outputs.dev; };
  input-of-all-outputs = make "input-of-all-outputs" { dependencies = [ many-outputs.out many-outputs.lib many-outputs.dev ]; };
  input-fixed = make "input-fixed" { src = flat-sha256; };
  input-fixed-other-url = make "input-fixed" { src = flat-other-url; };
  # Two inputs whose hashes modulo are one, since they differ only in where fixed content comes from.
  same-inputs-twice = make "same-inputs-twice" { dependencies = [ input-fixed input-fixed-other-url ]; };
  builder-from-store = derivation { name = "builder-from-store"; system = "any"; builder = "${input}/bin/build"; };
  diamond = make "diamond" { left = input; right = input-of-one-output; inherit minimal; };
  derivation-as-source = make "derivation-as-source" { plan = diamond.drvPath; };
  deep = builtins.foldl' (below: n: make "deep-${toString n}" { inherit below; }) minimal (builtins.genList (n: n) 40);
}
