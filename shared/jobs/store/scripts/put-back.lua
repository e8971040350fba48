-- Lets claims wait again, unless they ended or somebody else claimed them meanwhile.
-- ARGV per claim: queue, id, its owner as it was seen ('' = unknown)
-- Returns how many wait again.

local count = 0
for k = 1, #ARGV, 3 do
  local queue, id, owner = ARGV[k], ARGV[k + 1], ARGV[k + 2]
  if (queues.owner_of(queue, id) or '') == owner and queues.put_back(queue, id) then count = count + 1 end
end
return count
