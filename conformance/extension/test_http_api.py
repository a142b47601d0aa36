import asyncio
import json
import unittest

from ministack.core.responses import request_scope
from ministack.services import apigateway, lambda_svc

from extension import http_api

ACCOUNT, REGION = "111122223333", "eu-central-1"


def setUpModule():
    http_api.install()


def event(**headers):
    return {"version": "2.0", "headers": headers, "requestContext": {}}


class Event(unittest.TestCase):
    def test_has_its_cookies_in_a_list_and_no_cookie_header(self):
        made = http_api.with_cookies(event(cookie="a=1;b=2 ; c", host="door"))
        self.assertEqual((made["cookies"], made["headers"]), (["a=1", "b=2", "c"], {"host": "door"}))

    def test_has_no_list_without_cookies(self):
        self.assertNotIn("cookies", http_api.with_cookies(event(host="door")))

    def test_leaves_other_events_alone(self):
        for other in ({"Records": []}, {"version": "0", "detail": {}}, "text", None):
            self.assertIs(http_api.with_cookies(other), other)


class Answer(unittest.TestCase):
    def answer(self, result):
        return lambda_svc.lambda_execute_result_to_api_proxy_response(result)[0]

    def test_of_a_function_that_fails_is_a_500_without_its_reason(self):
        failed = self.answer({"error": True, "body": {"errorMessage": "a secret", "statusCode": 200}})
        self.assertEqual((failed["statusCode"], failed["body"]), (500, '{"message":"Internal Server Error"}'))

    def test_of_a_function_that_is_throttled_is_a_503(self):
        throttled = self.answer({"error": True, "throttle": True, "body": {"Reason": "x"}})
        self.assertEqual((throttled["statusCode"], throttled["body"]), (503, '{"message":"Service Unavailable"}'))

    def test_of_any_other_is_its_own(self):
        self.assertEqual(self.answer({"body": {"statusCode": 204}})["statusCode"], 204)


class Api(unittest.TestCase):
    def setUp(self):
        scope = request_scope(ACCOUNT, REGION)
        scope.__enter__()
        self.addCleanup(scope.__exit__, None, None, None)
        self.api = json.loads(apigateway._create_api({"name": "door", "protocolType": "HTTP"})[2])["apiId"]
        apigateway._integrations[self.api] = {"i": {"integrationType": "AWS_PROXY", "integrationUri": "arn:f"}}
        apigateway._routes[self.api] = {
            "r": {"routeId": "r", "routeKey": "OPTIONS /v1/{proxy+}", "target": "integrations/i"}
        }
        self.calls = []

        async def invoke(integration, api_id, stage, path, method, headers, *rest, **named):
            self.calls.append((method, path, headers, rest[2], rest[3]))
            return 204, {}, b""

        stock = apigateway._invoke_lambda_proxy
        apigateway._invoke_lambda_proxy = invoke
        self.addCleanup(setattr, apigateway, "_invoke_lambda_proxy", stock)

    def send(self, method, path):
        headers = {"Origin": "https://shop.example"}
        return asyncio.run(
            apigateway._handle_execute_in_scope(self.api, "$default", path, method, headers, b"", {}, ACCOUNT, REGION)
        )[0]

    def test_hands_a_preflight_to_its_route(self):
        self.assertEqual(self.send("OPTIONS", "/v1/track"), 204)
        [call] = self.calls
        expected = ("OPTIONS", "/v1/track", {"origin": "https://shop.example"}, "OPTIONS /v1/{proxy+}", {"proxy": "track"})
        self.assertEqual(call, expected)

    def test_has_no_answer_to_a_preflight_of_another_path(self):
        self.assertEqual((self.send("OPTIONS", "/other"), self.calls), (404, []))

    def test_answers_itself_where_it_has_a_cors_configuration(self):
        apigateway._apis[self.api]["corsConfiguration"] = {"allowOrigins": ["https://shop.example"]}
        self.assertLess(self.send("OPTIONS", "/v1/track"), 300)
        self.assertEqual(self.calls, [])

    def test_keeps_route_settings_in_the_services_spelling(self):
        apigateway._stages[self.api] = {"$default": {"stageName": "$default"}}
        settings = {"GET /p.gif": {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}}
        http_api._spell_route_settings("$default", {"ApiId": self.api, "RouteSettings": settings})
        self.assertEqual(
            apigateway._stages[self.api]["$default"]["routeSettings"],
            {"GET /p.gif": {"throttlingRateLimit": 100, "throttlingBurstLimit": 200}},
        )


if __name__ == "__main__":
    unittest.main()
