-- wrk: the same request over and over, byte for byte as it stands in a file. Arguments: the file.
local whole

function init(args)
    local file = assert(io.open(args[1], "rb"))
    whole = file:read("*a")
    file:close()
end

function request()
    return whole
end
