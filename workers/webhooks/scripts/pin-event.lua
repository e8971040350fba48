-- Pins the content of an event that is about to be queued, unless its URL owes too many: as many as may wait have
-- waited for longer than is patient, and it took none lately. (A backlog of ours, after an outage, is not its fault.)
-- KEYS 1 deliveries  2 index of the tenant  3 backlog of the URL  4 mark that it took one lately
-- ARGV 1 job id  2 pinned field  3 content JSON  4 seconds to keep it  5 member of the backlog  6 backlog max  7 now ms
--      8 attempt field  9 attempt JSON for a refused event  10 seconds to keep that  11 patience ms
-- Returns 1 (pinned) | 2 (refused, and said so in the log) | 0 (the job was erased meanwhile: nothing of it comes back)

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', tonumber(ARGV[7]) - tonumber(ARGV[4]) * 1000)
local edge = redis.call('ZRANGE', KEYS[3], ARGV[6] - 1, ARGV[6] - 1, 'WITHSCORES')
local owes = edge[2] and tonumber(edge[2]) <= tonumber(ARGV[7]) - tonumber(ARGV[11])
if owes and redis.call('EXISTS', KEYS[4]) == 0 and not redis.call('ZSCORE', KEYS[3], ARGV[5]) then
  redis.call('HSET', KEYS[1], ARGV[8], ARGV[9])
  if redis.call('TTL', KEYS[1]) < tonumber(ARGV[10]) then redis.call('EXPIRE', KEYS[1], ARGV[10]) end
  return 2
end
redis.call('ZADD', KEYS[3], 'NX', ARGV[7], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
