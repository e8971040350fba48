-- Jobs that go from hand to hand. A consumer that found its queue empty leaves word of how many jobs it has room for; until
-- it claims again, who admits a job starts it for that consumer and hands it over on a key that it blocks on. A lone job
-- so needs one durable write before its run and not two, and no second round trip. To all else it is a claim like any
-- other: one that gets lost on the way waits again as claims do. Prepended to every script of this folder.

local handover = {}
-- A longer input takes longer to prepare than to claim, and would be in the log of Redis twice.
handover.input_bytes_max = 4096
-- Unread after this long, its consumer is gone; its jobs wait again since long.
local unread_ms = 60000

-- Versions that are ready there, the default first.
function handover.ask(queue, worker, room, release, versions)
  local word = room .. ' ' .. release .. ' ' .. table.concat(versions, ' ')
  if redis.call('HGET', idle_key(queue), worker) ~= word then redis.call('HSET', idle_key(queue), worker, word) end
end

function handover.withdraw(queue, worker) redis.call('HDEL', idle_key(queue), worker) end

-- The consumer with most room: {worker, room, release, versions, is_ready, jobs}. Nil when none asked, or when it is not
-- the turn of who comes now.
function handover.find(queue)
  local asked = redis.call('HGETALL', idle_key(queue))
  if #asked == 0 or not queues.is_idle(queue) then return nil end
  local heir
  for k = 1, #asked, 2 do
    local room, release, versions = string.match(asked[k + 1], '^(%d+) (%d+) (.*)$')
    if redis.call('EXISTS', alive_key(asked[k])) == 0 then
      handover.withdraw(queue, asked[k])
    elseif not heir or tonumber(room) > heir.room then
      heir = { worker = asked[k], room = tonumber(room), release = tonumber(release), versions = versions, is_ready = {}, jobs = {} }
    end
  end
  if not heir then return nil end
  for version in string.gmatch(heir.versions, '%S+') do
    heir.default = heir.default or version
    heir.is_ready[version] = true
  end
  return heir
end

-- What an heir got within this call, and what it still has room for.
function handover.give(queue, heir, stamp)
  if #heir.jobs == 0 then return end
  local key = handover_key(queue, heir.worker)
  redis.call('ZADD', key, stamp, '[' .. table.concat(heir.jobs, ',') .. ']')
  redis.call('PEXPIRE', key, unread_ms)
  local room = heir.room - #heir.jobs
  if room == 0 then
    handover.withdraw(queue, heir.worker)
  else
    redis.call('HSET', idle_key(queue), heir.worker, room .. ' ' .. heir.release .. ' ' .. heir.versions)
  end
end

-- The consumer goes: what it has not read waits again. Returns how many.
function handover.leave(queue, worker)
  handover.withdraw(queue, worker)
  local key = handover_key(queue, worker)
  local count = 0
  for _, jobs in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    for _, job in ipairs(cjson.decode(jobs)) do
      if queues.owner_of(queue, job.id) == worker and queues.put_back(queue, job.id) then count = count + 1 end
    end
  end
  redis.call('DEL', key)
  return count
end
