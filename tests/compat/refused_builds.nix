# Derivations whose builds must fail, each for one thing.
let
  make = name: script: extra: derivation ({
    inherit name;
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = [ "-e" "-c" script ];
    PATH = "/bin";
  } // extra);
  structured = name: script: extra: make name ''
    . ./.attrs.sh
    out=''${outputs[out]}
    ${script}
  '' ({ __structuredAttrs = true; builder = "/bin/bash"; } // extra);
  floating = { __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; };
  leaf = make "leaf" "echo x > $out" { };
in {
  status = make "status" "echo x > $out; exit 3" { };
  no-output = make "no-output" ":" { };
  no-second-output = make "no-second-output" "echo x > $out" { outputs = [ "out" "dev" ]; };
  others-may-write = make "others-may-write" "echo x > $out; chmod 666 $out" { };
  group-may-write = make "group-may-write" "mkdir $out; chmod 775 $out" { };
  pipe = make "pipe" "mkdir $out; mkfifo $out/x" { };
  cycle = make "cycle" "echo $dev > $out; echo $out > $dev" { outputs = [ "out" "dev" ]; };
  wrong-hash = make "wrong-hash" "echo abd > $out" { outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; };
  flat-directory = make "flat-directory" "mkdir $out" { outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; };
  flat-executable = make "flat-executable" "echo -n abc > $out; chmod +x $out" {
    outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
  };
  not-allowed = make "not-allowed" "echo ${leaf} > $out" { allowedReferences = [ ]; };
  not-allowed-itself = make "not-allowed-itself" "echo $out > $out" { allowedReferences = [ ]; };
  disallowed = make "disallowed" "echo ${leaf} > $out" { disallowedReferences = [ leaf ]; };
  disallowed-requisite = make "disallowed-requisite" "ln -s ${make "between" "ln -s ${leaf} $out" { }} $out" {
    disallowedRequisites = [ leaf ];
  };
  unknown-specifier = make "unknown-specifier" "echo x > $out" { allowedReferences = [ "nothing" ]; };
  fixed-that-mentions-an-object = make "fixed-that-mentions-an-object" "mkdir $out; ln -s ${leaf} $out/l" {
    outputHash = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; outputHashMode = "recursive";
  };
  floating-circle = make "floating-circle" "echo $dev > $out; echo $out > $dev" (floating // { outputs = [ "out" "dev" ]; });
  too-large = structured "too-large" "head -c 2000 /dev/zero > $out" { outputChecks.out.maxSize = 1000; };
  too-large-a-closure = structured "too-large-a-closure" "echo ${leaf} > $out" { outputChecks.out.maxClosureSize = 200; };
  not-allowed-by-check = structured "not-allowed-by-check" "echo ${leaf} > $out" { outputChecks.out.allowedReferences = [ ]; };
  disallowed-by-check = structured "disallowed-by-check" "echo ${leaf} > $out" { outputChecks.out.disallowedReferences = [ leaf ]; };
  not-allowed-requisite = make "not-allowed-requisite" "ln -s ${make "one-between" "ln -s ${leaf} $out" { }} $out" { allowedRequisites = [ ]; };
  another-machine = derivation { name = "another-machine"; system = "riscv64-linux"; builder = "/bin/sh"; };
  feature = make "feature" "echo x > $out" { requiredSystemFeatures = [ "warp-drive" ]; };
  no-builder = derivation { name = "no-builder"; system = "x86_64-linux"; builder = "/no/such/builder"; };
  odd-graph = make "odd-graph" "echo x > $out" { exportReferencesGraph = [ "one" ]; };
  graph-of-no-input = make "graph-of-no-input" "echo x > $out" {
    exportReferencesGraph = [ "graph" "/nix/store/00000000000000000000000000000000-x" ];
  };
  set-user-id = make "set-user-id" "echo x > $out; chmod 4755 $out" { };
}
