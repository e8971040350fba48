# Words that the runbooks use. From the top of the repository, in bash: . monitoring/runbooks/tools.sh
# Under compose set COMPOSE=1 first; elsewhere MILLRACE_DATA or REDIS_URL says where Redis is. KEY is a caller's API key.
API=${API:-http://127.0.0.1:8080}
ADMIN=${ADMIN:-http://127.0.0.1:8081}
PROM=${PROM:-http://127.0.0.1:9090}

# query '<PromQL>': one line per series, largest first.
query() {
  local answer
  answer=$(curl -sS --fail-with-body --max-time 10 "$PROM/api/v1/query" --data-urlencode "query=$1") || {
    echo "$answer" >&2
    return 1
  }
  case $answer in
    *'"result":[]'*) echo 'none' ;;
    *) sed 's/{"metric":/\n/g' <<<"$answer" | sed -n 's/^{\(.*\)},"value":\[[^,]*,"\([^"]*\)"\].*/\2  \1/p' | sort -rg ;;
  esac
}

# redis <command>: redis-cli on the Redis that runs.
redis() {
  if [ -n "${COMPOSE:-}" ]; then
    docker compose exec -T redis sh -c 'REDISCLI_AUTH="$(cat /run/secrets/redis/password)" exec redis-cli "$@"' sh "$@"
  elif [ -n "${REDIS_URL:-}" ]; then
    redis-cli -u "$REDIS_URL" --no-auth-warning "$@"
  else
    local home="${MILLRACE_DATA:-.millrace}/redis"
    REDISCLI_AUTH="$(cat "$home/password")" redis-cli -p "$(awk '/^port /{print $2}' "$home/redis.conf")" "$@"
  fi
}

# slow_client: address of whoever sent most of the newest entries of the slow log.
slow_client() {
  redis slowlog get 32 | grep -aEo '^[0-9.]+:[0-9]+$' | sort | uniq -c | sort -rn | sed -n '1s/.* //p'
}

# bearer <key>: a header that curl reads from a file, `-H @<(bearer "$KEY")`: `ps` shows arguments to every user.
bearer() {
  [ -z "$1" ] || printf 'Authorization: Bearer %s\n' "$1"
}

# api <path> [curl options]: the public API, with KEY when there is one.
api() {
  local path=$1
  shift
  curl -sS --max-time 35 -H @<(bearer "${KEY:-}") "$@" "$API$path"
}

# stages [model]: seconds per stage, p99 of the last 5 minutes. The largest is the one that holds things up.
stages() {
  # Prometheus divides nothing by nothing where no job went through.
  _stages "$@" | sed 's/NaN */no job in 5 minutes/'
}

_stages() {
  local stage
  for stage in queue_wait prepare batch_wait compute postprocess; do
    printf '%-12s' "$stage"
    query "histogram_quantile(0.99, sum by (le) (rate(inference_${stage}_seconds_bucket{model=~\"${1:-.*}\"}[5m])))"
  done
  printf '%-12s' finish
  query 'histogram_quantile(0.99, sum by (le) (rate(inference_finish_seconds_bucket[5m])))'
}

# tenants: unfinished jobs by tenant, most first. Metrics never hold a tenant; Redis does.
tenants() {
  redis hgetall 'mr:v1:{mr0}:live' | paste - - | awk '$1 ~ /^t:/ && $2 > 0 { print $2, substr($1, 3) }' | sort -rn | head -20
}

# oldest <model> <class>: tenant and id of the jobs that wait longest: first those that wait again, then the others.
oldest() {
  local id base="mr:v1:{mr0}:q:$1.$2"
  for id in $(redis lrange "$base:wait" -5 -1) $(redis zrange "$base:prioritized" 0 4); do
    echo "$(redis hget "$base:$id" data) $id"
  done
}

# receivers: webhook events that each URL owes: how many, tenant and hash of the URL, one of its jobs.
receivers() {
  local key
  redis --scan --pattern 'mr:v1:{mr0}:hook-backlog:*' | grep -v ':took$' | while read -r key; do
    echo "$(redis zcard "$key") ${key#*hook-backlog:} $(redis zrange "$key" 0 0)"
  done | sort -rn | head -20
}

# restart <role>: api, worker, delivery, log or board. What it had in hand is finished first, up to 30 s.
restart() {
  local pid
  case $1 in
    api | worker | delivery | log | board) ;;
    *) echo "no role of Millrace: $1" >&2 && return 1 ;;
  esac
  if [ -n "${COMPOSE:-}" ]; then
    docker compose restart "$1"
    return
  fi
  for pid in $(curl -sS -H @<(bearer "${ADMIN_TOKEN:-}") "$ADMIN/metrics" |
    sed -n "s/^process_resident_memory_bytes{role=\"$1\",instance=\"\([^\"]*-\)\{0,1\}\([0-9]*\)\".*/\2/p"); do
    echo "restarting $1, process $pid"
    kill "$pid"
  done
}

# cancel_unfinished: cancels every job of KEY's tenant that waits or runs. What is on a device is thrown away.
cancel_unfinished() {
  local ids id status
  for status in queued processing; do
    while ids=$(api "/v1/jobs?status=$status&limit=100" | grep -o '"id":"job_[0-9a-f]*"' | cut -d'"' -f4) && [ -n "$ids" ]; do
      for id in $ids; do
        api "/v1/jobs/$id/cancel" -X POST -o /dev/null
        echo "canceled $id"
      done
    done
  done
}
