-- Reads a job whole, and asks to be told of its next events in the same step, so that none falls in between.
-- KEYS 1 job  2 finished  3 index   ARGV 1 reply channel ('' = only read)  2 id
-- Returns {'live', field, value, ...} | {'finished', JSON} | {'gone'} (retention over) | {} (unknown)

local flat = redis.call('HGETALL', KEYS[1])
if #flat > 0 then
  if ARGV[1] ~= '' then
    local w = redis.call('HGET', KEYS[1], 'w') or ''
    if not string.find(',' .. w .. ',', ',' .. ARGV[1] .. ',', 1, true) then
      local channels = { ARGV[1] }
      for channel in string.gmatch(w, '[^,]+') do
        if channel ~= ARGV[1] .. '!' then channels[#channels + 1] = channel end -- It hears of the end with the rest.
      end
      redis.call('HSET', KEYS[1], 'w', table.concat(channels, ','))
    end
  end
  local reply = { 'live' }
  for k = 1, #flat, 2 do
    if flat[k] ~= 'in' then reply[#reply + 1] = flat[k] reply[#reply + 1] = flat[k + 1] end
  end
  return reply
end
local doc = redis.call('GET', KEYS[2])
if doc then return { 'finished', doc } end
if redis.call('ZSCORE', KEYS[3], ARGV[2]) then return { 'gone' } end
return {}
