#!/bin/sh
# Checks who signed the approvals and checks of a log that `portcullis log export --bundle` has packed:
# a POSIX shell and ssh-keygen.
#
#     statements.sh FOLDER
#
# FOLDER  the folder of a log in the bundle, with statements.txt, statements/ and rosters/ in it
#
# Each statement is held against the keys that its signer had by the policy of the push that brought
# it, certificates as they stood at its date. An authorization of gittuf's has none: the push's is taken. Whether a key was to count at that time and for that
# purpose is not asked here.
#
# Exit code: 0 all are signed, 1 some are not, 2 typed wrong, 3 could not be checked.
set -u
[ $# = 1 ] || { sed -n '2,/^set/{/^#/!d;s/^# \{0,1\}//;p;}' "$0" >&2; exit 2; }
[ -r "$1/statements.txt" ] || { echo "could not be checked: there is no $1/statements.txt"; exit 3; }
command -v ssh-keygen >/dev/null || { echo "could not be checked: there is no ssh-keygen"; exit 3; }
good=0 bad=0 unknown=0
while read -r name person space roster _ _ at; do
  case $name in '#'*) unknown=$((unknown + 1)); continue ;; esac
  if [ ! -r "$1/$roster" ]; then
    echo "not checked: $name: nobody can say whose keys were whose"
    unknown=$((unknown + 1))
    continue
  fi
  IFS= read -r first <"$1/statements/$name.sig"
  if [ "$first" = '-----BEGIN PGP SIGNATURE-----' ]; then
    echo "not checked: $name: gpg --verify $name.sig $name.signed does, with the keyring among the policies"
    unknown=$((unknown + 1))
    continue
  fi
  date=${at:-$(sed -n 's/^date \(....\)-\(..\)-\(..\)T\(..\):\(..\):\(..\)Z$/\1\2\3\4\5\6/p' "$1/statements/$name.signed")}
  if TZ=UTC ssh-keygen -q -Y verify -O "verify-time=$date" -f "$1/$roster" -I "$person" -n "$space" -s "$1/statements/$name.sig" \
    <"$1/statements/$name.signed" >/dev/null 2>&1; then
    good=$((good + 1))
  else
    echo "not signed by $person: $name"
    bad=$((bad + 1))
  fi
done <"$1/statements.txt"
echo "$good statements are signed by whom they name, $bad are not, $unknown were not checked"
[ "$bad" = 0 ]
