# Derivations to build, each for one thing that a builder is given or leaves behind.
let
  make = name: script: extra: derivation ({
    inherit name;
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = [ "-e" "-c" script ];
    PATH = "/bin";
  } // extra);
  structured = name: script: extra: make name ''
    . ./.attrs.sh # Nix 2.8 gives a path outside of the sandbox in NIX_ATTRS_SH_FILE
    out=''${outputs[out]}
    ${script}
  '' ({ __structuredAttrs = true; builder = "/bin/bash"; } // extra);
  floating = { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
in rec {
  # What is given
  environment = make "environment" "env -0 | sort -z > $out" { };
  environment-overridden = make "environment-overridden" "env | sort > $out" {
    HOME = "/somewhere"; NIX_STORE = "x"; TMPDIR = "/not-here"; TERM = "dumb"; PWD = "/"; NIX_BUILD_CORES = "7";
  };
  odd-variables = make "odd-variables" "env -0 | sort -z > $out" { "a-b" = "1"; "ü" = "é\n\t\""; empty = ""; list = [ 1 "two" ]; };
  arguments = derivation {
    name = "arguments"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin";
    args = [ "-c" ''printf '%s|' "$0" "$@" > $out'' "zero" "" "a b" "--" "é\n" ];
  };
  name-of-the-program = make "name-of-the-program" "cat /proc/self/cmdline | tr '\\0' '|' > $out; cat /proc/1/cmdline >> $out" { };
  pass-as-file = make "pass-as-file" ''
    cat "$bigPath" > $out; echo "$bigPath" >> $out; echo "''${big-unset}" >> $out; ls -A >> $out
  '' { passAsFile = [ "big" "other" ]; big = builtins.concatStringsSep "," (map toString (builtins.genList (n: n) 30000)); other = "o"; };
  working-directory = make "working-directory" "pwd > $out; ls -A >> $out; stat -c '%a %u %g' . >> $out" { };
  sandbox-identity = make "sandbox-identity" "id > $out; umask >> $out; hostname >> $out; echo $$ >> $out; ulimit -c >> $out" { };
  sandbox-root = make "sandbox-root" "ls / > $out; ls /dev /etc /dev/pts >> $out; cat /etc/passwd /etc/group /etc/hosts >> $out" { };
  sandbox-network = make "sandbox-network" "cut -d: -f1 /proc/net/dev > $out; cat /proc/net/route >> $out" { };
  terminal = make "terminal" "test -t 1 && test -t 2 && ! test -t 0 && echo yes > $out" { };
  personality = make "personality" "cat /proc/self/personality > $out; grep -e NoNewPrivs -e Seccomp: /proc/self/status >> $out" { };
  text-input = make "text-input" "cat $script > $out; echo $script >> $out" { script = builtins.toFile "script.sh" "echo hi\n"; };
  store-contents = make "store-contents" "ls ${builtins.storeDir} > $out" { one = arguments; two = text-input; };
  references-graph = make "references-graph" "cat graph.txt second > $out" {
    exportReferencesGraph = [ "graph.txt" linked "second" text-input ];
  };
  attributes-json = structured "attributes-json" ''cat .attrs.json > $out'' {
    text = "a \"quoted\" 'text' \\ é \n\t"; number = 42; negative = -7; fraction = 1.5; whole = 2.0; yes = true; no = false;
    nothing = null; list = [ "a" 1 true null "it's" ]; nested = [ [ 1 ] [ 2 ] ]; set = { b = "2"; a = 1; "odd name" = "x"; };
    "not-a-name" = 1; deep = { a = { b = { c = [ ]; }; }; }; large = 3000000000; empty = { }; none = [ ];
  };
  attributes-shell = structured "attributes-shell" ''cat .attrs.sh > $out; env | grep -v ^NIX_ATTRS_ | sort >> $out; ls -A >> $out'' attributes-json.drvAttrs;
  attributes-graph = structured "attributes-graph" ''cat .attrs.json > $out'' {
    exportReferencesGraph = { graph = [ linked ]; other = [ text-input arguments ]; };
  };
  attributes-outputs = structured "attributes-outputs" ''
    echo $out > $out; mkdir ''${outputs[dev]}; echo ''${outputs[dev]} > ''${outputs[dev]}/x
  '' { outputs = [ "out" "dev" ]; };

  # What is left behind
  empty-directory = make "empty-directory" "mkdir $out" { };
  symbolic-link = make "symbolic-link" "ln -s ${arguments} $out" { };
  dangling-link = make "dangling-link" "ln -s /no/where $out" { };
  modes = make "modes" ''
    mkdir $out
    for m in 400 600 644 700 755 500 111 010 001; do echo $m > $out/$m; chmod $m $out/$m; done
    mkdir $out/d $out/e; echo x > $out/d/x; chmod 500 $out/d; chmod 711 $out/e
  '' { };
  times = make "times" "mkdir $out; touch -d 1999-01-01 $out/old; touch -d 2037-01-01 $out/new; ln -s x $out/link" { };
  hard-links = make "hard-links" "mkdir $out; echo x > $out/a; ln $out/a $out/b; ln -s a $out/c; ln $out/c $out/d" { };
  names = make "names" ''mkdir $out; for n in a-b a.b B ' ' 'é' '-' '~'; do echo "$n" > "$out/$n"; done; touch "$out/$(printf '\377\376')"'' { };
  sparse = make "sparse" "truncate -s 3000000 $out; echo end >> $out" { };
  read-only-tree = make "read-only-tree" "mkdir -p $out/a/b; echo x > $out/a/b/c; chmod -R a-w $out" { };
  two-outputs = make "two-outputs" "echo $dev > $out; mkdir $dev; echo x > $dev/y" { outputs = [ "out" "dev" ]; };
  outputs-other-order = make "outputs-other-order" "echo $bin > $lib; echo x > $bin; mkdir $doc; ln -s $lib $doc/l" { outputs = [ "lib" "doc" "bin" ]; };
  of-one-output = make "of-one-output" "cat $dep/y > $out; echo $dep >> $out; ls ${builtins.storeDir} >> $out" { dep = two-outputs.dev; };
  linked = make "linked" "mkdir $out; ln -s ${two-outputs.out} $out/l; echo ${arguments} > $out/a; echo $out > $out/self" { };
  chain = builtins.foldl' (below: n: make "chain-${toString n}" "mkdir $out; ln -s $below $out/below" { inherit below; }) arguments (builtins.genList (n: n) 5);
  left-processes = make "left-processes" "(sleep 1000 &) ; (setsid sleep 1000 < /dev/null > /dev/null 2>&1 &) ; echo x > $out" { };
  references-allowed = make "references-allowed" "echo $out ${arguments} > $out" { allowedReferences = [ "out" arguments ]; disallowedReferences = [ text-input ]; };
  requisites-allowed = make "requisites-allowed" "echo $out ${symbolic-link} > $out" { allowedRequisites = [ symbolic-link arguments ]; };
  structured-checks = structured "structured-checks" "echo ${arguments} > $out" {
    outputChecks.out = { allowedReferences = [ arguments ]; disallowedRequisites = [ text-input ]; maxSize = 1000; maxClosureSize = 10000; };
  };

  empty-file = make "empty-file" ": > $out" { };
  link-to-itself = make "link-to-itself" "ln -s $out $out" { };
  longest-name = make "longest-name" ''mkdir $out; n=$(printf 'n%.0s' $(seq 255)); echo x > $out/$n; ln -s $n $out/l'' { };
  odd-names = make "odd-names" ''mkdir $out; cd $out; touch "$(printf 'a\nb')" "$(printf 'a\\b')" '$x' '*' '#' "'" '"' .. ... .hidden 2> /dev/null || true'' { };
  names-that-differ-in-case = make "names-that-differ-in-case" "mkdir $out $out/D $out/d; touch $out/D/x $out/a $out/A $out/aB $out/ab" { };
  deep = make "deep" "mkdir $out; cd $out; for i in $(seq 200); do mkdir d; cd d; done; echo x > x" { };
  many-files = make "many-files" "mkdir $out; cd $out; for i in $(seq 3000); do : > $i; done" { };
  references-found = make "references-found" ''
    mkdir $out; h=${builtins.substring 11 32 "${arguments}"}
    head -c 65520 /dev/zero > $out/over-a-block; echo $h >> $out/over-a-block
    head -c 3000000 /dev/zero > $out/far; echo ${text-input} >> $out/far
    echo ''${h%?} > $out/cut; echo ''${h#?} >> $out/cut
  '' { };
  references-in-names = make "references-in-names" ''mkdir $out; touch $out/$(basename ${arguments}); ln -s ../$(basename ${symbolic-link}) $out/l'' { };
  references-not-plain = make "references-not-plain" ''echo ${arguments} | sed 's/./&\x00/g' > $out; echo ${arguments} | tr a-z A-Z >> $out'' { };
  ten-outputs = make "ten-outputs" "for o in $outputs; do echo $o > \${!o}; done"
    { builder = "/bin/bash"; outputs = [ "out" "a" "b" "c" "d" "e" "f" "g" "h" "i" ]; };
  large-variable = make "large-variable" "printf %s \"$big\" | cksum > $out" { big = builtins.concatStringsSep "," (map toString (builtins.genList (n: n) 20000)); };
  discarded-context = make "discarded-context" "echo $hidden > $out" { hidden = builtins.unsafeDiscardStringContext "${arguments}"; };

  # Content known beforehand
  fixed-flat = make "fixed-flat" "echo -n abc > $out" {
    outputHash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; outputHashAlgo = "sha256";
  };
  fixed-flat-sha1 = make "fixed-flat-sha1" "echo -n abc > $out" { outputHash = "a9993e364706816aba3e25717850c26c9cd0d89d"; outputHashAlgo = "sha1"; };
  fixed-flat-sri = make "fixed-flat-sri" "echo -n abc > $out; ls /etc" { outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; };
  fixed-recursive = make "fixed-recursive" "mkdir $out; ln -s x $out/l; echo abc > $out/f; chmod +x $out/f" {
    outputHash = "sha256-uNJQbC7yyHD78gM9GStc9QnBFauRrEdAS6YzdX5uKMA="; outputHashMode = "recursive";
  };
  fixed-recursive-sha512 = make "fixed-recursive-sha512" "echo abc > $out" {
    outputHash = "sha512-iGlJWi2udkDRgum9QcDK14A6gOGpgbafxlVRJF2MQEVH23baEcUxICzwMhf1gN9CHkOUypZuJqx0g0jDP3P8Qg=="; outputHashMode = "recursive";
  };
  fixed-flat-md5 = make "fixed-flat-md5" "echo -n abc > $out" { outputHash = "900150983cd24fb0d6963f7d28e17f72"; outputHashAlgo = "md5"; };
  fixed-recursive-link = make "fixed-recursive-link" "ln -s /no/where $out" {
    outputHash = "sha256-knqwm4gygirjNRzqhdF4ib431cF6Mtl4itwvW2nWFhA="; outputHashMode = "recursive";
  };
  of-fixed = make "of-fixed" "cat $src > $out; echo $src >> $out" { src = fixed-flat; };

  # Content that names the output
  floating-plain = make "floating-plain" "mkdir $out; echo x > $out/x" floating;
  floating-self = make "floating-self" "mkdir -p $out/bin; echo $out $out/x > $out/bin/me; ln -s $out/bin $out/l; echo ${arguments} > $out/a" floating;
  floating-outputs = make "floating-outputs" ''
    mkdir $out $dev; echo $out $dev > $out/x; echo $dev > $dev/y; ln -s $dev $out/dev
  '' (floating // { outputs = [ "out" "dev" ]; });
  floating-link-to-itself = make "floating-link-to-itself" "ln -s $out/x $out" floating;
  floating-self-far = make "floating-self-far" ''
    head -c 65520 /dev/zero > $out; echo $out >> $out; head -c 200000 /dev/zero >> $out; printf %s $out >> $out
  '' floating;
  floating-self-in-names = make "floating-self-in-names" ''mkdir $out; h=$(basename $out); touch $out/$h; ln -s ../$h $out/a; echo $h > $out/z'' floating;
  floating-program = make "floating-program" "printf '#!/bin/sh\necho %s\n' $out > $out; chmod 755 $out" floating;
  floating-empty = make "floating-empty" "mkdir $out" floating;
  floating-flat = make "floating-flat" "echo x > $out" (floating // { outputHashMode = "flat"; });
  floating-sha1 = make "floating-sha1" "mkdir $out; echo x > $out/x" (floating // { outputHashAlgo = "sha1"; });
  of-floating = make "of-floating" "echo ${floating-self} ${floating-outputs.dev} > $out; cat ${floating-self}/bin/me >> $out" { };
  floating-of-floating = make "floating-of-floating" "echo $out ${floating-self} ${of-floating} > $out" floating;
  of-deferred = make "of-deferred" "cat ${of-floating} > $out; echo $out ${of-floating} >> $out" { };
}
