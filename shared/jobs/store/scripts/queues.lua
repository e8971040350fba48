-- Queues as BullMQ 6 lays them out, and the only place of ours that writes that layout: a reference (BullMQ's job hash)
-- waits in `prioritized` by priority and age, or in `wait`, which goes ahead of all; once claimed it is in `active`, and
-- `processedBy` says whose it is. `marker` wakes consumers that block on it. Nothing is written to `events`, which nobody
-- reads, and there are no locks: a claim lasts as long as its worker lives. Prepended to every script of this folder.

local queues = {}

local function base_of(queue) return queue_prefix .. ':' .. queue .. ':' end

-- It is the turn of whoever comes now: nobody waits, and no operator paused the queue.
function queues.is_idle(queue)
  local base = base_of(queue)
  if redis.call('ZCARD', base .. 'prioritized') + redis.call('LLEN', base .. 'wait') > 0 then return false end
  return redis.call('HEXISTS', base .. 'meta', 'paused') == 0
end

-- One that is claimed as it comes.
function queues.add_claimed(queue, ref, owner)
  local base = base_of(queue)
  redis.call('HSET', base .. ref.id, 'name', 'run', 'data', ref.data, 'opts', '{}', 'timestamp', ref.ms, 'delay', '0', 'priority', '1',
    'processedOn', ref.ms, 'pb', owner)
  redis.call('LPUSH', base .. 'active', ref.id)
end

-- refs: list of {id, data, ms}, in the order in which they are to run.
function queues.add(queue, refs)
  local base = base_of(queue)
  local first = redis.call('INCRBY', base .. 'pc', #refs) - #refs
  local scored = {}
  for k, ref in ipairs(refs) do
    redis.call('HSET', base .. ref.id, 'name', 'run', 'data', ref.data, 'opts', '{}', 'timestamp', ref.ms, 'delay', '0', 'priority', '1')
    scored[2 * k - 1] = 0x100000000 + (first + k) % 0x100000000
    scored[2 * k] = ref.id
  end
  redis.call('ZADD', base .. 'prioritized', unpack(scored))
  redis.call('ZADD', base .. 'marker', '0', '0')
end

-- Lets those wait whose delay is over.
local function promote(base, now)
  local due = redis.call('ZRANGEBYSCORE', base .. 'delayed', 0, (now + 1) * 0x1000 - 1, 'LIMIT', 0, 1000)
  if #due == 0 then return end
  redis.call('ZREM', base .. 'delayed', unpack(due))
  redis.call('LPUSH', base .. 'wait', unpack(due))
  for _, id in ipairs(due) do redis.call('HSET', base .. id, 'delay', 0) end
end

-- Up to n ids, now active; none from a queue that an operator paused. Those whose delay is over wait there all the same:
-- due for ever, they would keep every consumer asking.
function queues.take(queue, n, now)
  local base = base_of(queue)
  promote(base, now)
  if redis.call('HEXISTS', base .. 'meta', 'paused') == 1 then return {} end
  local ids = redis.call('RPOP', base .. 'wait', n) or {}
  if #ids < n then
    local scored = redis.call('ZPOPMIN', base .. 'prioritized', n - #ids)
    for k = 1, #scored, 2 do ids[#ids + 1] = scored[k] end
  end
  if #ids > 0 then
    redis.call('LPUSH', base .. 'active', unpack(ids))
  else
    redis.call('DEL', base .. 'pc') -- As BullMQ does: numbers begin anew when nobody waits, long before 2^32.
  end
  return ids
end

-- Something is left for the next consumer to be woken for.
function queues.wake_if_waiting(queue)
  local base = base_of(queue)
  if redis.call('ZCARD', base .. 'prioritized') + redis.call('LLEN', base .. 'wait') > 0 then
    redis.call('ZADD', base .. 'marker', '0', '0')
  end
end

-- Ms until a delayed one is due, or -1.
function queues.next_due(queue, now)
  local soonest = redis.call('ZRANGE', base_of(queue) .. 'delayed', 0, 0, 'WITHSCORES')[2]
  return soonest and math.max(0, math.floor(soonest / 0x1000) - now) or -1
end

-- The reference's data; nil when it is gone.
function queues.read(queue, id) return redis.call('HGET', base_of(queue) .. id, 'data') or nil end

function queues.mark_owner(queue, id, owner, now)
  redis.call('HSET', base_of(queue) .. id, 'processedOn', now, 'pb', owner)
end

function queues.owner_of(queue, id) return redis.call('HGET', base_of(queue) .. id, 'pb') or nil end

function queues.active(queue) return redis.call('LRANGE', base_of(queue) .. 'active', 0, -1) end

-- To the front: it has waited once already. False when it is not claimed.
function queues.put_back(queue, id)
  local base = base_of(queue)
  if redis.call('LREM', base .. 'active', '-1', id) == 0 then return false end
  redis.call('RPUSH', base .. 'wait', id)
  redis.call('ZADD', base .. 'marker', '0', '0')
  return true
end

-- Takes the reference out, wherever it is. Claims are many and short, so the oldest active ones are looked at first.
function queues.drop(queue, id)
  local base = base_of(queue)
  redis.call('DEL', base .. id)
  if redis.call('LREM', base .. 'active', '-1', id) > 0 then return end
  if redis.call('ZREM', base .. 'prioritized', id) > 0 then return end
  if redis.call('LREM', base .. 'wait', '1', id) == 0 then redis.call('ZREM', base .. 'delayed', id) end
end
