# Objects that mention others in every way: in content, in a link, in a file name, themselves, not at all.
let
  make = name: script: inputs: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-c" "export PATH=/usr/bin:/bin; ${script}" ];
  } // inputs);
in rec {
  leaf = make "leaf" "mkdir -p $out/bin; echo leaf > $out/bin/leaf" { };
  selfish = make "selfish" "mkdir $out; echo $out/here > $out/self" { };
  content = make "content" "mkdir $out; printf 'x%sy' $leaf > $out/f" { inherit leaf; };
  link = make "link" "mkdir $out; ln -s ../\${leaf##*/}/bin/leaf $out/l" { inherit leaf; };
  name = make "name" "mkdir $out; : > $out/\${leaf##*/}" { inherit leaf; };
  deep = make "deep" "mkdir -p $out/a/b; head -c 300000 /dev/zero > $out/a/b/z; printf $content >> $out/a/b/z; echo $out $selfish >> $out/a/b/z" { inherit content selfish; };
  unused = make "unused" "echo nothing > $out" { inherit leaf content; };
  file = make "file" "echo $deep $link > $out" { inherit deep link; };
  text = builtins.toFile "text" "mentions ${leaf.name}";
}
