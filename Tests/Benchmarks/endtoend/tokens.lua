-- wrk: every request carries another token of a file of equally long lines.
-- Arguments: the file, the length of a line, the first line to use, how many lines, `cycle` or `once`.
-- `once` ends the program when the lines run out: a token that came twice would be found in the proxy's cache.
local file, length, left, cycle, head, tail
local requests, at = {}, 0

local function build(token)
    return head .. token .. tail
end

function init(args)
    length = tonumber(args[2])
    left = tonumber(args[4])
    cycle = args[5] == "cycle"
    head = wrk.method .. " " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nAuthorization: Bearer "
    tail = "\r\n\r\n"
    file = assert(io.open(args[1], "rb"))
    file:setvbuf("full", 1048576)
    assert(file:seek("set", tonumber(args[3]) * (length + 1)))
    if cycle then
        for i = 1, left do
            requests[i] = build(file:read(length))
            file:read(1)
        end
    end
end

function request()
    if cycle then
        at = at % left + 1
        return requests[at]
    end
    left = left - 1
    if left < 0 then
        io.stderr:write("the tokens ran out\n")
        os.exit(3)
    end
    local token = file:read(length)
    file:read(1)
    return build(token)
end
