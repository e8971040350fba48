-- Pins the content of an event that is about to be queued.
-- KEYS 1 deliveries  2 index of the tenant
-- ARGV 1 job id  2 pinned field  3 content JSON  4 seconds to keep it
-- Returns 1, or 0 when the job was erased meanwhile: nothing of it comes back.

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
