-- Claims jobs of one queue for a worker and starts them: marks them processing, once; counts the attempt, every time. A
-- reference whose job ended is dropped on the way.
-- KEYS 1 start-by  2 outbox
-- ARGV 1 queue  2 worker  3 how many at most  4 bytes of input after which no more are taken  5 record version of the release
--   6 '1': once nothing waits, jobs are handed over to it until it claims again (`handover.lua`),
--   then the versions of the model that are ready, the default first
-- Returns {ms until a delayed one is due (-1 = none, or others wait), how many may be handed over, then per claim:
--   {id, tenant, 'started', version, request, input, attempts, crashes, created ms, started ms, finished item indexes...} |
--   {id, tenant, 'expired', request} (waited past its start-by) | {id, tenant, 'unready', version it wishes} |
--   {id, tenant, 'unsupported'} (of a release too far away); but for the first nothing of the job was changed}

local now = now_ms()
local stamp = string.format('%.0f', now)
local queue, worker, release = ARGV[1], ARGV[2], tonumber(ARGV[5])
local versions, is_ready = {}, {}
for k = 7, #ARGV do
  versions[k - 6] = ARGV[k]
  is_ready[ARGV[k]] = true
end
-- Bounds what one call can have in hand beyond its bytes: inputs of a job may be megabytes.
local taken_at_once = 16
local bytes = 0

local function start(id, tenant, wish)
  local job = job_key(tenant, id)
  local h = redis.call('HMGET', job, 'req', 'in', 's', 'c', 'st', 'sb', 'seq', 'ev', 'wh', 'w', 'x', 'a', 'l', 'v')
  if not h[1] then return nil end
  queues.mark_owner(queue, id, worker, stamp)
  if math.abs(tonumber(h[14] or release) - release) > 1 then return { id, tenant, 'unsupported' } end
  local first = h[3] == 'queued'
  if first and h[6] and tonumber(h[6]) < now then return { id, tenant, 'expired', h[1] } end
  if wish and not is_ready[wish] then return { id, tenant, 'unready', wish } end
  local version = wish or versions[1]
  local attempts = tonumber(h[12] or '0') + 1
  if not first then
    redis.call('HSET', job, 'a', attempts, 'mv', version)
  else
    local seq, ev = emit({ tenant = tenant, id = id, seq = h[7], ev = h[8], wh = h[9], w = h[10] }, 'processing', stamp, nil, KEYS[2])
    redis.call('HSET', job, 'a', attempts, 's', 'processing', 'st', stamp, 'seq', seq, 'ev', ev, 'mv', version)
    if h[6] then redis.call('ZREM', KEYS[1], tenant .. '/' .. id) end
  end
  bytes = bytes + #h[2]
  local reply = { id, tenant, 'started', version, h[1], h[2], attempts, tonumber(h[11] or '0'), h[4], h[5] or stamp }
  if h[13] == '1' and not first then
    for _, index in ipairs(redis.call('HKEYS', items_key(tenant, id))) do reply[#reply + 1] = index end
  end
  return reply
end

local replies = { -1, 0 }
local open = tonumber(ARGV[3])
local is_empty = false
while open > 0 and bytes < tonumber(ARGV[4]) and not is_empty do
  local wanted = math.min(open, taken_at_once)
  local ids = queues.take(queue, wanted, now)
  is_empty = #ids < wanted
  for _, id in ipairs(ids) do
    local data = queues.read(queue, id)
    local ref = data and cjson.decode(data)
    local claim = ref and start(id, ref.t, ref.v)
    if claim then
      replies[#replies + 1] = claim
      open = open - 1
    else
      queues.drop(queue, id)
    end
  end
end
if is_empty then
  replies[1] = queues.next_due(queue, now)
  if ARGV[6] == '1' then
    replies[2] = open
    handover.ask(queue, worker, string.format('%d', open), release, versions)
  end
else
  queues.wake_if_waiting(queue)
  if ARGV[6] == '1' then handover.withdraw(queue, worker) end
end
return replies
