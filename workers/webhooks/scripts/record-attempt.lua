-- Stores one attempt, and forgets the event's pinned content when no attempt follows.
-- KEYS 1 deliveries  2 backlog of the URL  3 mark that it took one lately
-- ARGV 1 attempt field  2 attempt JSON  3 pinned field to delete ('' = another attempt follows)
--      4 seconds to keep it all while any event is pinned  5 seconds afterwards  6 member of the backlog
--      7 seconds that the mark lasts ('' = it did not take this one)
-- Returns 1, or 0 when the hash is gone: the job was erased meanwhile, and nothing of it comes back.

if ARGV[7] ~= '' then redis.call('SET', KEYS[3], 1, 'EX', ARGV[7]) end
if ARGV[3] ~= '' then redis.call('ZREM', KEYS[2], ARGV[6]) end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('HDEL', KEYS[1], ARGV[3]) end
local seconds = ARGV[5]
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'p:' then seconds = ARGV[4] end
end
redis.call('EXPIRE', KEYS[1], seconds)
return 1
