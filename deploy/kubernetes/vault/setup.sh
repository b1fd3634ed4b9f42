#!/bin/sh
# A Transit engine at `consigne`, a policy an identity, and a token each into the folder of `./consigne compose init`:
#   VAULT_ADDR=… VAULT_TOKEN=… deploy/kubernetes/vault/setup.sh FOLDER
# Then `compose init` once more, which puts each token into the shares of its identity. Tokens are periodic: renew them
# (`vault token renew`) at least every 30 days, or let an agent do it. Run again, every token is made anew.
set -eu
umask 077
secrets=$1/installation/secrets
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$secrets" ] || { echo "$1: not a folder of compose init" >&2; exit 2; }

vault secrets list | grep -q '^consigne/' || vault secrets enable -path=consigne transit
for policy in "$here"/*.hcl; do
    identity=$(basename "$policy" .hcl)
    vault policy write "consigne-$identity" "$policy"
    vault token create -orphan -no-default-policy -period=720h -policy="consigne-$identity" -field=token \
        > "$secrets/keyring-token-$identity"
done
