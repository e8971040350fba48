-- Prepended to every script of this folder: the clock, and the one way in which a job's status changes.

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- To the channels of the API processes that wait. One marked with '!' hears of the end alone: who waits for the outcome was
-- woken once more for each job that started.
local function publish(f, message, is_end)
  if not f.w or f.w == '' then return end
  for channel, mark in string.gmatch(f.w, '([^,!]+)(!?)') do
    if is_end or mark == '' then redis.call('PUBLISH', channel, message) end
  end
end

-- '<tenant>/<id> <seq> <status>': who hears it reads the job.
local function tell(f, seq, status, is_end)
  publish(f, f.tenant .. '/' .. f.id .. ' ' .. seq .. ' ' .. status, is_end)
end

-- The end: the finished document itself, which says whose it is.
local function tell_document(f, doc) publish(f, doc, true) end

-- Appends an event to a live job and tells who waits: webhooks through the outbox, API processes through their channels
-- (not of the end: with the outcome at hand, `finish.lua` tells it).
-- job: key of the live hash. f: table with tenant, id, ev, seq, wh (wanted webhook statuses, comma-bounded), w (channels).
-- Returns the new sequence number and event log; the caller stores them.
local function emit(f, status, stamp, detail, outbox, is_end)
  local seq = string.format('%d', (f.seq or 0) + 1)
  local entry = seq .. ' ' .. status .. ' ' .. stamp
  if detail then entry = entry .. ' ' .. detail end
  local ev = f.ev and f.ev ~= '' and (f.ev .. ';' .. entry) or entry
  if f.wh and f.wh ~= '' and string.find(f.wh, ',' .. status .. ',', 1, true) then
    redis.call('XADD', outbox, '*', 't', f.tenant, 'i', f.id, 'n', seq, 's', status)
  end
  if not is_end then tell(f, seq, status, false) end
  f.seq, f.ev = seq, ev
  return seq, ev
end
