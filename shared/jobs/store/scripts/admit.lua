-- Admits jobs: checks idempotency keys and bounds, then stores record, input and index and lets the job wait in its queue,
-- or starts it for a consumer that waits for one (`handover.lua`), all at once. Several jobs a call, since API requests that
-- arrive together travel together; each stands or falls alone.
-- KEYS 1 start-by  2 live  3 tenants  4 blobs  5 outbox,
--      then per job: job, idempotency (any key when unused), index
-- ARGV per job, 16 each:
--   id, tenant, body hash ('' = no idempotency key), idempotency ttl s, request JSON, input JSON, list ('1'|'0'),
--   ms it may wait ('' = for ever), queue, 'queue max/tenant max', reply channel (as `tell` reads it; '' = none), has blobs ('1'|'0'),
--   wanted webhook statuses (',a,b,' or ''), 'items/retention s', marks of the inputs for the record of predictions ('' = none),
--   data of its reference in the queue (JSON)
-- Returns per job {'accepted', id, created ms} | {'existing', id} | {'conflict', id} | {'queue-full', id} | {'tenant-full', id}

local now = now_ms()
local ms = string.format('%.0f', now)
local live = {} -- counters as they stand within this call; written back once
local waiting = {} -- queue -> references, added once a call
local heirs = {} -- queue -> consumer that jobs are handed to, or false; told once a call
local record_version = 1 -- of what is written here

local function count_of(field)
  if not live[field] then
    local stored = tonumber(redis.call('HGET', KEYS[2], field) or '0')
    live[field] = { stored = stored, now = stored }
  end
  return live[field]
end

-- Who takes this job at once, and with which version. After the first job that nobody takes, all wait. One that may only
-- wait so long waits for a claim: a consumer that is frozen looks alive for seconds, and what it was handed has begun.
local function heir_of(queue, data, input, wait)
  if heirs[queue] == nil then heirs[queue] = handover.find(queue) or false end
  local heir = heirs[queue]
  if not heir or waiting[queue] or wait ~= '' then return nil end
  if #heir.jobs >= heir.room or #input > handover.input_bytes_max then return nil end
  if math.abs(heir.release - record_version) > 1 then return nil end
  local version = cjson.decode(data).v or heir.default
  return heir.is_ready[version] and heir or nil, version
end

local function admit(id, tenant, hash, ttl, req, input, list, wait, queue, bounds, channel, blobs, wanted, shape, marks, data, keys)
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
  local heir, version = heir_of(queue, data, input, wait)
  local told = { tenant = tenant, id = id, wh = wanted }
  emit(told, 'queued', ms, nil, KEYS[5])
  if heir then emit(told, 'processing', ms, nil, KEYS[5]) end
  local set = { 'v', record_version, 'req', req, 'in', input, 's', heir and 'processing' or 'queued', 'c', ms, 'n', items, 'l', list,
    'q', queue, 'seq', told.seq, 'ev', told.ev, 'rt', retention }
  local function also(name, value) set[#set + 1] = name set[#set + 1] = value end
  if heir then
    also('a', '1') also('st', ms) also('mv', version)
  elseif wait ~= '' then
    local start_by = string.format('%.0f', now + tonumber(wait))
    redis.call('ZADD', KEYS[1], start_by, member)
    also('sb', start_by)
  end
  if channel ~= '' then also('w', channel) end
  if wanted ~= '' then also('wh', wanted) end
  if marks ~= '' then also('im', marks) end
  if blobs == '1' then
    also('b', '1')
    redis.call('ZADD', KEYS[4], 'inf', member)
  end
  if hash ~= '' then
    also('ik', keys.idem)
    redis.call('SET', keys.idem, id .. ' ' .. hash, 'EX', ttl)
  end
  redis.call('HSET', keys.job, unpack(set))
  redis.call('ZADD', keys.index, ms, id)
  local ref = { id = id, data = data, ms = ms }
  if heir then
    queues.add_claimed(queue, ref, heir.worker)
    heir.jobs[#heir.jobs + 1] = '{"id":' .. cjson.encode(id) .. ',"tenant":' .. cjson.encode(tenant) .. ',"version":' ..
      cjson.encode(version) .. ',"request":' .. req .. ',"input":' .. input .. ',"ms":' .. ms .. '}'
  else
    waiting[queue] = waiting[queue] or {}
    table.insert(waiting[queue], ref)
  end
  if of_tenant.now == 0 then redis.call('SADD', KEYS[3], tenant) end
  in_queue.now = in_queue.now + 1
  of_tenant.now = of_tenant.now + 1
  return { 'accepted', id, ms }
end

local replies = {}
for j = 1, #ARGV / 16 do
  local a = {}
  for k = 1, 16 do a[k] = ARGV[(j - 1) * 16 + k] end
  a[17] = { job = KEYS[3 + 3 * j], idem = KEYS[4 + 3 * j], index = KEYS[5 + 3 * j] }
  replies[j] = admit(unpack(a))
end
for field, count in pairs(live) do
  if count.now ~= count.stored then redis.call('HINCRBY', KEYS[2], field, count.now - count.stored) end
end
for queue, heir in pairs(heirs) do if heir then handover.give(queue, heir, ms) end end
for queue, refs in pairs(waiting) do queues.add(queue, refs) end
return replies
