-- Admits one job: checks the idempotency key and the bounds, then stores record, input, index and pending mark at once.
-- KEYS 1 job  2 idempotency (any key when unused)  3 index  4 pending  5 start-by  6 live  7 tenants  8 blobs  9 outbox
-- ARGV 1 id  2 tenant  3 body hash ('' = no idempotency key)  4 idempotency ttl s  5 request JSON  6 input JSON
--      7 items  8 list ('1'|'0')  9 ms it may wait ('' = for ever)  10 queue  11 queue max  12 tenant max
--      13 reply channel ('' = none)  14 has blobs ('1'|'0')  15 wanted webhook statuses (',a,b,' or '')  16 retention s
-- Returns {'accepted', id, created ms} | {'existing', id} | {'conflict', id} | {'queue-full', n} | {'tenant-full', n}

local id, tenant, hash = ARGV[1], ARGV[2], ARGV[3]
if hash ~= '' then
  local known = redis.call('GET', KEYS[2])
  if known then
    local owner, body = string.match(known, '^(%S+) (%S+)$')
    if body == hash then return { 'existing', owner } end
    return { 'conflict', owner }
  end
end

local live = redis.call('HMGET', KEYS[6], 'q:' .. ARGV[10], 't:' .. tenant)
if tonumber(live[1] or '0') >= tonumber(ARGV[11]) then return { 'queue-full', live[1] } end
if tonumber(live[2] or '0') >= tonumber(ARGV[12]) then return { 'tenant-full', live[2] } end

local now = now_ms()
local ms = string.format('%.0f', now)
local f = { tenant = tenant, id = id, wh = ARGV[15] }
local seq, ev = emit(f, 'queued', now, nil, KEYS[9])
local start_by = ''
if ARGV[9] ~= '' then
  start_by = string.format('%.0f', now + tonumber(ARGV[9]))
  redis.call('ZADD', KEYS[5], start_by, tenant .. '/' .. id)
end
redis.call('HSET', KEYS[1], 'v', 1, 'req', ARGV[5], 'in', ARGV[6], 's', 'queued', 'c', ms, 'n', ARGV[7], 'l', ARGV[8],
  'q', ARGV[10], 'seq', seq, 'ev', ev, 'rt', ARGV[16])
if start_by ~= '' then redis.call('HSET', KEYS[1], 'sb', start_by) end
if ARGV[13] ~= '' then redis.call('HSET', KEYS[1], 'w', ARGV[13]) end
if ARGV[15] ~= '' then redis.call('HSET', KEYS[1], 'wh', ARGV[15]) end
if ARGV[14] == '1' then
  redis.call('HSET', KEYS[1], 'b', 1)
  redis.call('ZADD', KEYS[8], 'inf', tenant .. '/' .. id)
end
if hash ~= '' then
  redis.call('SET', KEYS[2], id .. ' ' .. hash, 'EX', ARGV[4])
  redis.call('HSET', KEYS[1], 'ik', KEYS[2])
end
redis.call('ZADD', KEYS[3], ms, id)
redis.call('ZADD', KEYS[4], ms, tenant .. '/' .. id)
redis.call('HINCRBY', KEYS[6], 'q:' .. ARGV[10], 1)
redis.call('HINCRBY', KEYS[6], 't:' .. tenant, 1)
redis.call('SADD', KEYS[7], tenant)
return { 'accepted', id, ms }
