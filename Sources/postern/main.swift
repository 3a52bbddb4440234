#if canImport(Glibc)
import Glibc
#endif
import PosternProxy

let path = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "proxy.yaml"
let code = await Proxy(configurationPath: path).run()
exit(code)
