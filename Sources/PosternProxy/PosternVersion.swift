/// The version of this build.
public enum PosternVersion {
    /// Semantic version, as `postern --version` and the metrics show it.
    public static let current = "0.1.0"
}
