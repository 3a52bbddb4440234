import Testing

@testable import PosternCore

/// Documents in the way that the usual generators write them.
@Suite struct GeneratorTests {
    @Test func springdoc() throws {
        let text = """
            {'openapi': '3.0.1', 'info': {'title': 'OpenAPI definition', 'version': 'v0'},
             'servers': [{'url': 'http://localhost:8080/shop', 'description': 'Generated server url'}],
             'security': [{'bearerAuth': []}],
             'paths': {
              '/orders/{id}': {'get': {'tags': ['order-controller'], 'operationId': 'get', 'parameters': [
                {'name': 'id', 'in': 'path', 'required': true, 'schema': {'type': 'string'}}],
                'responses': {'200': {'description': 'OK', 'content': {'*/*': {'schema': {'type': 'string'}}}}},
                'security': [{'oauth': ['orders.read']}]}, 'put': {'operationId': 'put', 'responses': {}}},
              '/files/{*path}': {'get': {'operationId': 'file', 'responses': {}}},
              '/public/ping': {'get': {'operationId': 'ping', 'responses': {}, 'security': []}}},
             'components': {'securitySchemes': {'bearerAuth': {'type': 'http', 'scheme': 'bearer', 'bearerFormat': 'JWT'},
              'oauth': {'type': 'oauth2', 'flows': {'clientCredentials': {'tokenUrl': 'https://i', 'scopes': {}}}}}}}
            """
        #expect(
            try Document.routes(text) == [
                "GET /shop/orders/{id}: {scopes: orders.read}", "PUT /shop/orders/{id}: authenticated",
                "GET /shop/files/{_path}: authenticated", "GET /shop/public/ping: public",
            ])
    }

    @Test func aspNetCore() throws {
        let text = """
            {'openapi': '3.0.4', 'info': {'title': 'Api | v1', 'version': '1.0.0'},
             'servers': [{'url': 'https://localhost:7188/'}],
             'paths': {'/WeatherForecast': {'get': {'tags': ['WeatherForecast'], 'responses': {'200': {'description': 'OK'}},
                'security': [{'Bearer': [ ]}]}, 'post': {'responses': {}, 'security': [{'oauth2': ['api://x/Write']}]}},
              '/api/v{version}/orders': {'get': {'responses': {}, 'security': [{'Bearer': [ ]}]}}},
             'components': {'securitySchemes': {
                'Bearer': {'type': 'apiKey', 'description': 'Enter Bearer and a token', 'name': 'Authorization', 'in': 'header'},
                'oauth2': {'type': 'oauth2', 'flows': {'authorizationCode': {}}}}}}
            """
        let draft = try Document.draft(text)
        #expect(
            draft.routes.map(Document.line) == [
                "GET /WeatherForecast: authenticated", "POST /WeatherForecast: {scopes: api://x/Write}",
            ])
        #expect(draft.skipped.map(\.operation.text) == ["GET /api/v{version}/orders"])
    }

    @Test func apiGateway() throws {
        let text = """
            {'openapi': '3.0.1', 'servers': [{'url': 'https://x.example/{basePath}',
                'variables': {'basePath': {'default': '/prod'}}}],
             'paths': {'/{proxy+}': {'x-any': {}, 'options': {'responses': {}, 'security': []},
                'get': {'security': [{'api_key': []}]}}},
             'components': {'securitySchemes': {'api_key': {'type': 'apiKey', 'name': 'x-api-key', 'in': 'header'}}}}
            """
        #expect(
            try Document.draft(text).skipped.map(\.reason).first?.contains("//") == true,
            "a default with a slash of its own")
        #expect(
            try Document.routes(text, basePath: "/prod")
                == ["OPTIONS /prod/{proxy_}: public", "GET /prod/{proxy_}: deny"])
    }
}
