# A C library, a library, a program and a script that find each other by absolute paths, as Nix packages do.
# Built by this machine's compiler, in a sandbox that shows /usr.
let
  build = name: script: derivation {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-euc" ("PATH=/usr/bin:/bin; " + script) ];
  };
  libc = build "libc" ''
    mkdir -p $out/lib
    cp -L /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/libc.so.6 $out/lib
  '';
  greet = build "greet" ''
    mkdir -p $out/lib/pkgconfig $out/share
    echo "hello from a file" > $out/share/greeting
    echo 'const char *greeting(void) { return "hello from a library"; }' > greet.c
    gcc -shared -fPIC -Wl,-soname,libgreet.so greet.c -o $out/lib/libgreet.so.1
    ln -s $out/lib/libgreet.so.1 $out/lib/libgreet.so
    printf "prefix=$out\nLibs: -L$out/lib -lgreet\n" > $out/lib/pkgconfig/greet.pc
    printf "libdir='$out/lib'\n" > $out/lib/libgreet.la
  '';
  program = build "program" ''
    mkdir -p $out/bin
    cat > main.c <<END
    #include <stdio.h>
    const char *greeting(void);
    int main(int count, char **words) {
        char line[100] = "";
        FILE *file = count > 1 ? fopen(words[count - 1], "r") : 0;
        if (file && !fgets(line, sizeof line, file)) return 2;
        printf("%s\n%s", greeting(), line);
        return 0;
    }
    END
    gcc -w main.c -L${greet}/lib -l:libgreet.so -Wl,-rpath,${greet}/lib:${libc}/lib \
      -Wl,--dynamic-linker=${libc}/lib/ld-linux-x86-64.so.2 -o $out/bin/program
    ln -s ${greet}/lib/libgreet.so.1 $out/bin/library
  '';
in build "script" ''
  mkdir -p $out/bin
  printf "#!${program}/bin/program\n" > $out/bin/script
  printf "#!/bin/sh\nexec ${program}/bin/program ${greet}/share/greeting\n" > $out/bin/wrapper
  chmod +x $out/bin/*
  ln -s ${program}/bin/program $out/bin/program
''
