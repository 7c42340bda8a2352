/**
 * What runs on the node for a copy: POSIX `sh` and the tools of every Linux, and nothing that is installed for it.
 *
 * They answer in lines that begin with a full stop, which base64 has not: `.error <kind> <text>` ends either.
 * Each is one line, so that it fits a parameter of a session document.
 */

const COMMON = `
export LC_ALL=C;
f=$1; case $f in /*) ;; *) f=./$f ;; esac;
say() { printf '.%s\\n' "$*"; };
fail() { say error "$1" "$(printf %s "$2" | tr '\\n' ' ')"; exit 1; };
why() { case $1 in
  *'No space'* | *quota*) fail full "$1" ;;
  *'No such file'* | *nonexistent*) fail missing "$1" ;;
  *'Permission denied'* | *'not permitted'* | *'Read-only'*) fail permission "$1" ;;
  *) fail other "$1" ;; esac; };
has() { command -v "$1" > /dev/null 2>&1; };
sum() { if has sha256sum; then sha256sum; elif has shasum; then shasum -a 256;
  else openssl dgst -sha256 -r; fi | cut -c 1-64; };
has sha256sum || has shasum || has openssl || fail tools 'sha256sum, shasum or openssl';
has base64 || has openssl || fail tools 'base64 or openssl';
`;

/**
 * `$1` path, `$2` bytes the client has, `$3` their SHA-256 in hex. Answers `.size <bytes> <offset>`, the file from
 * the offset on in base64, and `.sum <SHA-256 of that part>`. The offset is 0 unless the client's bytes are the
 * file's first.
 */
export const DOWNLOAD = oneLine(`${COMMON}
o=$2;
[ -d "$f" ] && fail file;
err=$( { : < "$f"; } 2>&1) || why "$err";
[ -f "$f" ] || fail file;
n=$(($(wc -c < "$f")));
if [ "$o" -gt 0 ]; then
  { [ "$o" -le "$n" ] && [ "$(head -c "$o" "$f" | sum)" = "$3" ]; } || o=0; fi;
enc() { if has base64; then base64; else openssl base64; fi; };
part() { tail -c "+$((o + 1))" "$f" | head -c "$((n - o))"; };
say size "$n" "$o";
part | enc;
say sum "$(part | sum)"
`);

/**
 * `$1` path, `$2` mode in octal or empty, `$3` empty to begin anew. For a terminal, whose line discipline it switches
 * off. Answers `.part <bytes> <SHA-256>` of what `<path>.part` has, then takes lines:
 *
 * - `t` to empty the part, or `c` to go on after it; once;
 * - `b <characters>` and as many of base64, answered by `.ack` when they are written. Nothing may be sent before that,
 *   since `head` may read ahead;
 * - `e <SHA-256>` of the whole, answered by `.done` when the file has its name.
 */
export const UPLOAD = oneLine(`${COMMON}
p=$f.part; d=\${f%/*};
stty raw -echo 2> /dev/null || fail tools stty;
[ -d "$f" ] && fail file;
[ -d "\${d:-/}" ] || fail missing;
[ -z "$2" ] || umask 077;
err=$( { : >> "$p"; } 2>&1) || why "$err";
[ -f "$p" ] || fail file "$p";
[ -n "$3" ] || : > "$p";
dec() { if has base64; then base64 -d; else openssl base64 -d; fi; };
say part "$(($(wc -c < "$p")))" "$(sum < "$p")";
read -r k || exit 1; [ "$k" = c ] || : > "$p";
while read -r k n; do case $k in
  b) err=$(head -c "$n" | dec 2>&1 >> "$p") || why "$err"; say ack ;;
  e) [ "$(sum < "$p")" = "$n" ] || { rm -f "$p"; fail digest; };
    [ -z "$2" ] || chmod "$2" "$p";
    err=$(mv -f "$p" "$f" 2>&1) || why "$err"; say done; exit 0 ;;
esac; done
`);

function oneLine(script: string): string {
  return script.trim().replaceAll(/\n\s*/g, ' ');
}
