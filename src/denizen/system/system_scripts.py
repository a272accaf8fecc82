"""The scripts of a generation, for the time when no denizen runs: at boot, or in a chroot (pure).

`activate` makes the files of /etc those of its generation; it is for a system at rest, where nobody reads
while it works. What was interrupted before is put in order by it. `init` is the first process: it mounts what
the kernel offers, activates, and becomes the system's own first process, or a shell.
"""

from __future__ import annotations

import shlex

# Beside the scripts: a line for each file of /etc: path, mode or -, user, group.
LIST, RECORD = "etc-list", "etc-record"

_ACTIVATE = """\
set -eu
root=${1:-}
here=${0%/activate}
base=${here##*/}
case $here in /*) ;; *) here=$PWD/$here ;; esac
etc=$root/etc
own=$etc/.denizen
# Links lead from the root down into the store, so that they hold wherever the root is mounted.
store=${here%/*}
[ -z "$root" ] || store=${store#"$root"}

up() { # PATH: the way from the directory of a path below / up to /
  rest=$1 way=
  while [ "$rest" != "${rest#*/}" ]; do way=../$way rest=${rest#*/}; done
  printf %s "$way"
}
ours() { # PATH: it is the link to /etc/static
  way=$(up "$1")
  [ -L "$etc/$1" ] && [ "$(readlink "$etc/$1")" = "${way}static/$1" ]
}
give_back() { # PATH: to the file that was put aside, or to nothing
  ours "$1" || return 0
  if [ -e "$own/kept/$1" ] || [ -L "$own/kept/$1" ]; then mv -f "$own/kept/$1" "$etc/$1"
  else rm -f "$etc/$1"; fi
}
make_above() { # PATH: the directories above it, noted as made here
  above= rest=$1
  while [ "$rest" != "${rest#*/}" ]; do
    above=$above${above:+/}${rest%%/*} rest=${rest#*/}
    if [ ! -d "$etc/$above" ]; then
      mkdir "$etc/$above"
      echo "made $above" >> "$own/views/$view.record"
    fi
  done
}
wanted() { grep -qxF "path $1" "$here/etc-record"; }

mkdir -p "$own/views"
old=
if [ -L "$etc/static" ]; then
  old=$(readlink "$etc/static")
  case $old in .denizen/views/*) ;; *) echo "$etc/static is not denizen's" >&2; exit 1 ;; esac
  old=${old##*/}
elif [ -e "$etc/static" ]; then
  echo "$etc/static is not denizen's" >&2
  exit 1
fi
if [ -n "$old" ] && [ -f "$own/views/$old.record" ]; then
  while read -r word path; do
    case $word in
      added) give_back "$path" ;;
      removed) give_back "$path" ;;
      path) wanted "$path" || give_back "$path" ;;
    esac
  done < "$own/views/$old.record"
fi

view=boot1
[ "$old" != boot1 ] || view=boot2
rm -rf "$own/views/$view" "$own/views/$view.record"
mkdir -p "$own/views/$view"
{ cat "$here/etc-record"; echo "generation $base"; } > "$own/views/$view.record"
chmod 0644 "$own/views/$view.record"
while IFS='	' read -r path mode user group; do
  place=$own/views/$view/$path
  mkdir -p "${place%/*}"
  if [ "$mode" = - ]; then
    ln -s "$(up "etc/.denizen/views/$view/$path")${store#/}/$base/etc/$path" "$place"
  else
    cp "$here/etc/$path" "$place"
    if [ "$(id -u)" = 0 ]; then chown "$user:$group" "$place" || echo "$path: no $user:$group" >&2
    else echo "$path: the owner $user:$group is not set, as you are not root" >&2; fi
    chmod "$mode" "$place"
  fi
done < "$here/etc-list"
ln -s ".denizen/views/$view" "$etc/.static.new"
mv -f -T "$etc/.static.new" "$etc/static"
while IFS='	' read -r path mode user group; do
  if ours "$path"; then continue; fi
  place=$etc/$path kept=$own/kept/$path
  make_above "$path"
  rm -f "$kept"
  if [ -d "$place" ] && [ ! -L "$place" ]; then echo "$place is a directory" >&2; continue; fi
  if [ -e "$place" ] || [ -L "$place" ]; then mkdir -p "${kept%/*}"; mv "$place" "$kept"; fi
  ln -s "$(up "$path")static/$path" "$place"
done < "$here/etc-list"
if [ -n "$old" ] && [ -f "$own/views/$old.record" ]; then
  sed -n 's/^made //p' "$own/views/$old.record" | sort -r | while read -r made; do
    rmdir "$etc/$made" 2>/dev/null || [ ! -d "$etc/$made" ] || echo "made $made" >> "$own/views/$view.record"
  done
fi
for other in "$own"/views/*; do
  case ${other##*/} in "$view" | "$view.record") ;; *) rm -rf "$other" ;; esac
done
# Accounts and directories, where the root is this system's own.
if [ -z "$root" ]; then
  if command -v systemd-sysusers >/dev/null 2>&1; then systemd-sysusers; fi
  if command -v systemd-tmpfiles >/dev/null 2>&1; then systemd-tmpfiles --create; fi
fi
"""

_INIT = """\
here=${0%%/init}
%(tools)s
export PATH="$here/sw/bin:/run/denizen/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
mounted() { # PLACE
  [ -e /proc/mounts ] || return 1
  while read -r _ at _; do [ "$at" != "$1" ] || return 0; done < /proc/mounts
  return 1
}
for pair in proc:/proc sysfs:/sys devtmpfs:/dev tmpfs:/run; do
  kind=${pair%%%%:*} place=${pair#*:}
  %(mkdir)s -p "$place"
  # By the kernel, or by an initrd: a second /run would hide what udev noted in the first.
  mounted "$place" || %(mount)s -t "$kind" "$kind" "$place" || true
done
# Kernels mount a disk read-only unless they are told otherwise (rw), for it to be checked.
[ -w /etc ] || %(mount)s -o remount,rw / || true
%(install)s
"$here/activate" || echo "activation failed; the system goes on as it is" >&2
echo "denizen: generation ${here##*/}"
%(exec)s
"""
# The words that give init up for a shell, as initramfs-tools and systemd do in an emergency.
_SHELL = 'echo "denizen: a shell, as there is no other first process"\nexec %s'


def activate_script(shell: str) -> bytes:
    """Return the script that activates a generation's files; `shell` is the interpreter with its argument."""
    head = "# Usage: activate [ROOT]: make the files of ROOT/etc those of this generation.\n"
    return f"#!{shell}\n{head}{_ACTIVATE}".encode()


def init_script(shell: str, init: str) -> bytes:
    """Return the script that is the first process."""
    program, _, applet = shell.partition(" ")
    # busybox has all the tools in one file, and may be the only program that there is.
    prefix = f"{program} " if applet else ""
    if applet:
        tools = f"{prefix}mkdir -p /run"
        install = f"{prefix}mkdir -p /run/denizen/bin && {prefix}--install -s /run/denizen/bin"
    else:
        tools, install = ":", ":"
    last = f"exec {shlex.quote(init)}" if init else _SHELL % shell
    text = _INIT % {
        "tools": tools,
        "mkdir": f"{prefix}mkdir",
        "mount": f"{prefix}mount",
        "install": install,
        "exec": last,
    }
    return f"#!{shell}\n{text}".encode()


def etc_list(rows: list[tuple[str, int | None, str, str]]) -> bytes:
    """Return the list of files for `activate`."""
    lines = [
        f"{path}\t{'-' if mode is None else format(mode, '04o')}\t{user}\t{group}\n"
        for path, mode, user, group in rows
    ]
    return "".join(lines).encode()
