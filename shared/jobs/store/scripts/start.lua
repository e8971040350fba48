-- Claims jobs for a worker: marks them processing, once; counts the attempt, every time.
-- KEYS 1 start-by  2 outbox, then per job: job, items
-- ARGV 1 '<record version> <model version>', then per job: id, tenant
-- Returns per job: 0 (gone or finished) | 1 (of a release too far away; left as it is) | {request} (waited past its start-by) |
--   {request, input, attempts, crashes, created ms, started ms, finished item indexes...}

local now = now_ms()
local stamp = string.format('%.0f', now)
local release, model_version = string.match(ARGV[1], '^(%d+) (.*)$')

local function start(job, items, id, tenant)
  local h = redis.call('HMGET', job, 'req', 'in', 's', 'c', 'st', 'sb', 'seq', 'ev', 'wh', 'w', 'x', 'a', 'l', 'v')
  if not h[1] then return 0 end
  if math.abs(tonumber(h[14] or release) - tonumber(release)) > 1 then return 1 end
  local first = h[3] == 'queued'
  if first and h[6] and tonumber(h[6]) < now then return { h[1] } end
  local attempts = tonumber(h[12] or '0') + 1
  if not first then
    redis.call('HSET', job, 'a', attempts)
  else
    local seq, ev = emit({ tenant = tenant, id = id, seq = h[7], ev = h[8], wh = h[9], w = h[10] }, 'processing', now, nil, KEYS[2])
    redis.call('HSET', job, 'a', attempts, 's', 'processing', 'st', stamp, 'seq', seq, 'ev', ev, 'mv', model_version)
    if h[6] then redis.call('ZREM', KEYS[1], tenant .. '/' .. id) end
  end
  local reply = { h[1], h[2], attempts, tonumber(h[11] or '0'), h[4], h[5] or stamp }
  if h[13] == '1' and not first then
    for _, index in ipairs(redis.call('HKEYS', items)) do reply[#reply + 1] = index end
  end
  return reply
end

local replies = {}
for j = 1, (#ARGV - 1) / 2 do
  replies[j] = start(KEYS[1 + 2 * j], KEYS[2 + 2 * j], ARGV[2 * j], ARGV[2 * j + 1])
end
return replies
