-- Erases a finished job and everything that points at it. A live one must be canceled before.
-- KEYS 1 job  2 finished  3 index  4 deliveries  5 dead  6 blobs  7 idempotency (any key when unused)  8 predictions
-- ARGV 1 id  2 tenant  3 '1' when KEYS[7] is to be deleted  4 '1' when predictions are recorded: the log writer erases its
--   rows too, after those that wait before this entry
-- Returns 0 (still live) | 1 (erased, or nothing was there); blobs become due for deletion at once.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local member = ARGV[2] .. '/' .. ARGV[1]
redis.call('DEL', KEYS[2], KEYS[4])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[5], member)
if redis.call('ZSCORE', KEYS[6], member) then redis.call('ZADD', KEYS[6], 0, member) end
if ARGV[3] == '1' then redis.call('DEL', KEYS[7]) end
if ARGV[4] == '1' then redis.call('XADD', KEYS[8], '*', 't', ARGV[2], 'i', ARGV[1], 'e', '1') end
return 1
