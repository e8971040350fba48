-- Counts an engine crash against the jobs whose rows were in the call. KEYS per job. Returns the new counts (0 = gone).
local replies = {}
for k = 1, #KEYS do
  replies[k] = redis.call('EXISTS', KEYS[k]) == 1 and redis.call('HINCRBY', KEYS[k], 'x', 1) or 0
end
return replies
