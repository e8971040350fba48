-- Claims jobs for a worker: marks them processing, once; counts the attempt, every time.
-- KEYS 1 pending  2 start-by  3 outbox, then per job: job, items
-- ARGV 1 model version, then per job: id, tenant
-- Returns per job: 0 (gone or finished) | 1 (waited past its start-by) |
--   {request, input, attempts, crashes, created ms, started ms, finished item indexes...}

local now = now_ms()
local replies = {}
local jobs = (#ARGV - 1) / 2
for j = 1, jobs do
  local id, tenant = ARGV[2 * j], ARGV[2 * j + 1]
  local job, items = KEYS[2 + 2 * j], KEYS[3 + 2 * j]
  local member = tenant .. '/' .. id
  local h = redis.call('HMGET', job, 'req', 'in', 's', 'c', 'st', 'sb', 'seq', 'ev', 'wh', 'w', 'x')
  redis.call('ZREM', KEYS[1], member)
  if not h[1] then
    replies[j] = 0
  elseif h[3] == 'queued' and h[6] and tonumber(h[6]) < now then
    replies[j] = 1
  else
    local attempts = redis.call('HINCRBY', job, 'a', 1)
    local started = h[5] or string.format('%.0f', now)
    if h[3] == 'queued' then
      local f = { tenant = tenant, id = id, seq = h[7], ev = h[8], wh = h[9], w = h[10] }
      local seq, ev = emit(f, 'processing', now, nil, KEYS[3])
      redis.call('HSET', job, 's', 'processing', 'st', started, 'seq', seq, 'ev', ev, 'mv', ARGV[1])
      if h[6] then redis.call('ZREM', KEYS[2], member) end
    end
    local reply = { h[1], h[2], attempts, tonumber(h[11] or '0'), h[4], started }
    for _, index in ipairs(redis.call('HKEYS', items)) do reply[#reply + 1] = index end
    replies[j] = reply
  end
end
return replies
