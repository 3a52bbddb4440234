import PosternProxy
#if canImport(Glibc)
import Glibc
#endif
let path = CommandLine.arguments.last ?? "proxy.yaml"
let code = await Proxy(configurationPath: path).run()
exit(code)
