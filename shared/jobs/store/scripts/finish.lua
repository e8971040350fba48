-- The only way a job ends, and the fence: whoever comes first writes the outcome, the event and the outbox entry in one
-- step, and takes the job out of its queue; whoever comes later is told so and changes nothing. Used by workers (results), API (cancel) and sweeper (expiry).
-- KEYS 1 start-by  2 live  3 outbox  4 blobs  5 dead  6 predictions, then per entry: job, items, finished
-- ARGV 1 what the record of predictions keeps of an input ('none' | 'hash' | 'full'; '' = nothing is recorded),
-- then per entry, 10 each:
--   id, tenant, kind ('item' | 'job' | 'unstarted': the job, unless it has started), status, item index, fragment (JSON of output, or of problem when not succeeded),
--   prepare s, compute s, batch rows ('' = unknown), '1' when it is a dead letter
-- The input goes with the end of its job, except that of a dead letter: the finished document keeps it, to be run again.
-- Returns per entry: 0 late (job ended before, was erased, or has started)  1 item stored, job goes on  2 job ended  3 item known before

local now = now_ms()
local stamp = string.format('%.0f', now)
-- What every job has, or any job may have; and what only a job of several items has. A field that is absent costs a walk
-- over the whole hash, so the second list is asked for only where it can be there.
local fields = { 'req', 'c', 'st', 'a', 'mv', 'seq', 'ev', 'wh', 'w', 'l', 'q', 'rt', 'b', 'sb', 'ik' }
local list_fields = { 'n', 'ok', 'ko', 'mp', 'mk', 'mb', 'fe', 'dl' }

local unread_s = 604800
local dead_letters_max = 10000
local ended = {} -- live counters to lower, written once a call
local recording = ARGV[1]
-- What of a job travels to the log writer inside its entry; more would double the memory of large jobs.
local recorded_doc_bytes = 8192
local recorded_input_bytes = 65536
-- Who waits is told the outcome itself, and saves the reading; a larger one is read by who wants it.
local told_doc_bytes = 32768
if recording == 'hash' or recording == 'full' then fields[#fields + 1] = 'im' end
if recording == 'full' then fields[#fields + 1] = 'in' end

local function wrap(index, status, fragment)
  local name = status == 'succeeded' and 'output' or 'error'
  return '{"index":' .. index .. ',"status":"' .. status .. '","' .. name .. '":' .. fragment .. '}'
end

-- Results of all items in order; the ones without a result carry the job's own status, and its problem (JSON) if given.
local function joined(items, n, status, problem)
  local stored, list = {}, {}
  local flat = redis.call('HGETALL', items)
  for k = 1, #flat, 2 do stored[tonumber(flat[k])] = flat[k + 1] end
  local rest = ',"status":"' .. status .. '"' .. (problem and (',"error":' .. problem) or '') .. '}'
  for k = 0, n - 1 do list[k + 1] = stored[k] or ('{"index":' .. k .. rest) end
  return '[' .. table.concat(list, ',') .. ']'
end

-- Tells the log writer, `doc` being what it gets. Returns whether it must still find the finished document, or the job's
-- blobs, when it reads that.
local function record(f, doc, is_whole)
  local entry = { 't', f.tenant, 'i', f.id, 'd', doc }
  if f.im then entry[7] = 'im' entry[8] = f.im end
  if f['in'] and #f['in'] <= recorded_input_bytes then entry[#entry + 1] = 'in' entry[#entry + 1] = f['in'] end
  redis.call('XADD', KEYS[6], '*', unpack(entry))
  return not is_whole or (recording == 'full' and f.b)
end

-- Writes the outcome and removes every trace of the live job. Redis' Lua hashes each new string from end to end, 1.4 us a KB,
-- so the document is made once for all who get it.
local function close(keys, f, status, out, err)
  local member = f.tenant .. '/' .. f.id
  emit(f, status, stamp, nil, KEYS[3], true)
  local function document(kept, output)
    return '{"v":1,"req":' .. f.req .. ',"c":' .. f.c .. ',"st":' .. (f.st or 'null') .. ',"f":' .. stamp ..
      ',"s":"' .. status .. '","a":' .. (f.a or '0') .. ',"mv":"' .. (f.mv or '') .. '","seq":' .. f.seq .. ',"ev":"' .. f.ev ..
      '","m":[' .. (f.mp or 'null') .. ',' .. (f.mk or 'null') .. ',' .. (f.mb or 'null') .. '],"n":[' .. (f.ok or '0') .. ',' .. (f.ko or '0') ..
      ']' .. (f.ik and (',"ik":"' .. f.ik .. '"') or '') .. kept .. ',"out":' .. output .. ',"err":' .. err .. '}'
  end
  local kept = f.dl and ',"in":' .. (redis.call('HGET', keys.job, 'in') or 'null') or ''
  local doc = document(kept, out)
  -- A webhook that has not read the outcome yet must find it, however long delivery is down; so must the log writer what
  -- its entry does not hold. Reading sets the retention.
  local is_awaited = f.wh and string.find(f.wh, ',' .. status .. ',', 1, true)
  local is_unrecorded = false
  if recording ~= '' then
    local is_whole = #doc - #kept <= recorded_doc_bytes
    local told = kept == '' and is_whole and doc or document('', is_whole and out or '{"$omitted":true}')
    is_unrecorded = record(f, told, is_whole)
  end
  local keep = tonumber(f.rt)
  local keep_blobs = keep
  if is_unrecorded then keep_blobs = keep + unread_s end
  if is_awaited or is_unrecorded then keep = keep + unread_s end
  redis.call('SET', keys.finished, doc, 'EX', keep)
  if #doc <= told_doc_bytes then tell_document(f, doc) else tell(f, f.seq, status, true) end
  redis.call('DEL', keys.job)
  if f.l == '1' then redis.call('DEL', keys.items) end
  queues.drop(f.q, f.id)
  if f.sb then redis.call('ZREM', KEYS[1], member) end
  if f.b then redis.call('ZADD', KEYS[4], now + keep_blobs * 1000, member) end
  ended['q:' .. f.q] = (ended['q:' .. f.q] or 0) + 1
  ended['t:' .. f.tenant] = (ended['t:' .. f.tenant] or 0) + 1
end

local function load(job, id, tenant)
  local h = redis.call('HMGET', job, unpack(fields))
  if not h[1] then return nil end
  local f = { id = id, tenant = tenant }
  for k = 1, #fields do f[fields[k]] = h[k] or nil end
  if f.l == '1' then
    local more = redis.call('HMGET', job, unpack(list_fields))
    for k = 1, #list_fields do f[list_fields[k]] = more[k] or nil end
  end
  return f
end

local function add(f, name, amount)
  if amount == '' then return end
  f[name] = f[name] and string.format('%.6g', tonumber(f[name]) + tonumber(amount)) or amount
end

local function count(f, a)
  add(f, 'mp', a.prepare)
  add(f, 'mk', a.compute)
  if a.rows ~= '' then f.mb = f.mb and tostring(math.max(tonumber(f.mb), tonumber(a.rows))) or a.rows end
  local tally = a.status == 'succeeded' and 'ok' or 'ko'
  f[tally] = f[tally] and tostring(tonumber(f[tally]) + 1) or '1'
end

local function finish_item(keys, f, a)
  if f.l ~= '1' then
    count(f, a)
    local ok = a.status == 'succeeded'
    close(keys, f, a.status, ok and a.fragment or 'null', ok and 'null' or a.fragment)
    return 2
  end
  if redis.call('HSETNX', keys.items, a.index, wrap(a.index, a.status, a.fragment)) == 0 then return 3 end
  count(f, a)
  if a.status ~= 'succeeded' and not f.fe then f.fe = a.fragment end
  local done = tonumber(f.ok or '0') + tonumber(f.ko or '0')
  if done < tonumber(f.n) then
    emit(f, 'progress', stamp, tostring(done), KEYS[3])
    local set = { 'ok', f.ok or '0', 'ko', f.ko or '0', 'seq', f.seq, 'ev', f.ev }
    for _, name in ipairs({ 'mp', 'mk', 'mb', 'fe', 'dl' }) do
      if f[name] then set[#set + 1] = name set[#set + 1] = f[name] end
    end
    redis.call('HSET', keys.job, unpack(set))
    return 1
  end
  local status = tonumber(f.ok or '0') > 0 and 'succeeded' or 'failed'
  close(keys, f, status, joined(keys.items, tonumber(f.n), status), status == 'failed' and f.fe or 'null')
  return 2
end

local replies = {}
for e = 1, (#ARGV - 1) / 10 do
  local at = (e - 1) * 10 + 1
  local a = { kind = ARGV[at + 3], status = ARGV[at + 4], index = ARGV[at + 5], fragment = ARGV[at + 6],
    prepare = ARGV[at + 7], compute = ARGV[at + 8], rows = ARGV[at + 9] }
  local keys = { job = KEYS[4 + 3 * e], items = KEYS[5 + 3 * e], finished = KEYS[6 + 3 * e] }
  local f = load(keys.job, ARGV[at + 1], ARGV[at + 2])
  if not f or (a.kind == 'unstarted' and f.st) then
    replies[e] = 0
  elseif a.kind == 'item' then
    if ARGV[at + 10] == '1' then f.dl = '1' end
    replies[e] = finish_item(keys, f, a)
  else
    if ARGV[at + 10] == '1' then f.dl = '1' end
    local partial = f.l == '1' and redis.call('EXISTS', keys.items) == 1
    local problem = a.status == 'failed' and a.fragment or nil
    close(keys, f, a.status, partial and joined(keys.items, tonumber(f.n), a.status, problem) or 'null', a.fragment)
    replies[e] = 2
  end
  if replies[e] > 0 and ARGV[at + 10] == '1' then
    redis.call('ZADD', KEYS[5], stamp, f.tenant .. '/' .. f.id)
    redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -dead_letters_max - 1)
  end
end
for field, count in pairs(ended) do redis.call('HINCRBY', KEYS[2], field, -count) end
return replies
