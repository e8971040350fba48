-- Admits jobs: checks idempotency keys and bounds, then stores record, input, index and pending mark at once. Several
-- jobs a call, since API requests that arrive together travel together; each stands or falls alone.
-- KEYS 1 pending  2 start-by  3 live  4 tenants  5 blobs  6 outbox,
--      then per job: job, idempotency (any key when unused), index
-- ARGV per job, 15 each:
--   id, tenant, body hash ('' = no idempotency key), idempotency ttl s, request JSON, input JSON, list ('1'|'0'),
--   ms it may wait ('' = for ever), queue, 'queue max/tenant max', reply channel ('' = none), has blobs ('1'|'0'),
--   wanted webhook statuses (',a,b,' or ''), 'items/retention s', marks of the inputs for the record of predictions ('' = none)
-- Returns per job {'accepted', id, created ms} | {'existing', id} | {'conflict', id} | {'queue-full', id} | {'tenant-full', id}

local now = now_ms()
local ms = string.format('%.0f', now)
local live = {} -- counters as they stand within this call; written back once

local function count_of(field)
  if not live[field] then
    local stored = tonumber(redis.call('HGET', KEYS[3], field) or '0')
    live[field] = { stored = stored, now = stored }
  end
  return live[field]
end

local function admit(id, tenant, hash, ttl, req, input, list, wait, queue, bounds, channel, blobs, wanted, shape, marks, keys)
  -- The client sends a call again when its connection broke before the reply: this id was admitted then.
  local known_since = redis.call('ZSCORE', keys.index, id)
  if known_since then return { 'accepted', id, known_since } end
  if hash ~= '' then
    local known = redis.call('GET', keys.idem)
    local owner, body = string.match(known or '', '^(%S+) (%S+)$')
    -- A job erased after its outcome was gone took no key with it, since nothing told which: such a key is free again.
    if owner and redis.call('ZSCORE', keys.index, owner) then
      return { body == hash and 'existing' or 'conflict', owner }
    end
  end
  local queue_max, tenant_max = string.match(bounds, '^(%d+)/(%d+)$')
  local in_queue, of_tenant = count_of('q:' .. queue), count_of('t:' .. tenant)
  if in_queue.now >= tonumber(queue_max) then return { 'queue-full', id } end
  if of_tenant.now >= tonumber(tenant_max) then return { 'tenant-full', id } end

  local member = tenant .. '/' .. id
  local items, retention = string.match(shape, '^(%d+)/(%d+)$')
  local seq, ev = emit({ tenant = tenant, id = id, wh = wanted }, 'queued', now, nil, KEYS[6])
  local set = { 'v', 1, 'req', req, 'in', input, 's', 'queued', 'c', ms, 'n', items, 'l', list, 'q', queue, 'seq', seq, 'ev', ev, 'rt', retention }
  local function also(name, value) set[#set + 1] = name set[#set + 1] = value end
  if wait ~= '' then
    local start_by = string.format('%.0f', now + tonumber(wait))
    redis.call('ZADD', KEYS[2], start_by, member)
    also('sb', start_by)
  end
  if channel ~= '' then also('w', channel) end
  if wanted ~= '' then also('wh', wanted) end
  if marks ~= '' then also('im', marks) end
  if blobs == '1' then
    also('b', 1)
    redis.call('ZADD', KEYS[5], 'inf', member)
  end
  if hash ~= '' then
    also('ik', keys.idem)
    redis.call('SET', keys.idem, id .. ' ' .. hash, 'EX', ttl)
  end
  redis.call('HSET', keys.job, unpack(set))
  redis.call('ZADD', keys.index, ms, id)
  redis.call('ZADD', KEYS[1], ms, member)
  if of_tenant.now == 0 then redis.call('SADD', KEYS[4], tenant) end
  in_queue.now = in_queue.now + 1
  of_tenant.now = of_tenant.now + 1
  return { 'accepted', id, ms }
end

local replies = {}
for j = 1, #ARGV / 15 do
  local a = {}
  for k = 1, 15 do a[k] = ARGV[(j - 1) * 15 + k] end
  a[16] = { job = KEYS[4 + 3 * j], idem = KEYS[5 + 3 * j], index = KEYS[6 + 3 * j] }
  replies[j] = admit(unpack(a))
end
for field, count in pairs(live) do
  if count.now ~= count.stored then redis.call('HINCRBY', KEYS[3], field, count.now - count.stored) end
end
return replies
