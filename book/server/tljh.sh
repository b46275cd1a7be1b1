#!/usr/bin/env bash
# Put the course on a machine that runs The Littlest JupyterHub:
#   sudo bash tljh.sh ADDRESS-OF-THE-COURSE [BRANCH]
# Everyone who logs in then has the course's libraries; the class link on the course's page brings the notebooks.
set -euo pipefail
repository=${1:?the address of the git repository is wanted}
branch=${2:-main}
course=/opt/segmentation-course

if [ -d "$course/.git" ]; then
    git -C "$course" fetch --depth 1 origin "$branch"
    git -C "$course" reset --hard FETCH_HEAD
else
    git clone --depth 1 --branch "$branch" "$repository" "$course"
fi
# The CPU build of PyTorch saves several GB on a machine without a GPU: install it here first if you want it.
/opt/tljh/user/bin/pip install --editable "$course" nbgitpuller
/opt/tljh/user/bin/python "$course/tools/carry.py" # the real pictures and weights, 34 MB
tljh-config set user_environment.default_app jupyterlab
tljh-config set limits.memory 4G # one learner; the lessons stay below it
tljh-config set limits.cpu 2
tljh-config set services.cull.timeout 3600 # seconds without activity before a learner's server stops
tljh-config reload
