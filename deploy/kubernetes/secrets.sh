#!/bin/sh
# Each share and each ground service's files as one Secret, from the folder that `./consigne compose init` made:
#   deploy/kubernetes/secrets.sh FOLDER | kubectl apply --server-side --force-conflicts -f -
# Server-side, so that no copy of a secret is kept in an annotation. The output is secret: pipe it, never keep it.
set -eu
folder=$1
[ -d "$folder/shares" ] || { echo "$folder: not a folder of compose init" >&2; exit 2; }

secret() { kubectl create secret generic "$1" --namespace consigne --from-file="$2" --dry-run=client --output yaml; }

for share in "$folder"/shares/*/; do
    name=$(basename "$share")
    [ "$name" != keyring ] || continue # a key server's; here Vault keeps the keys
    echo "---"
    # Always the same bytes for the same share, without the owners of this machine. Not the folder itself, and not `run`:
    # in the pod they are volumes, which belong to others.
    (cd "$share" && tar --create --exclude=run --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -- *) |
        secret "share-$name" share.tar=/dev/stdin
done
for ground in "$folder"/ground/*/; do
    echo "---"
    secret "ground-$(basename "$ground")" "${ground%/}"
done
