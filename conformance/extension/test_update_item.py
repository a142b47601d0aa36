import unittest

from ministack.services import dynamodb

from extension import update_item


class UpdateItem(unittest.TestCase):
    def test_gives_each_attribute_a_value_of_its_own(self):
        update_item.install()
        empty = {":empty": {"M": {}}, ":at": {"N": "1"}}
        made, _ = dynamodb._apply_update_expression(
            {"pk": {"S": "a"}}, "SET a = if_not_exists(a, :empty), b = if_not_exists(b, :empty)", empty, {}
        )
        changed, _ = dynamodb._apply_update_expression(made, "SET a.x = :at", empty, {})
        self.assertEqual(changed["a"], {"M": {"x": {"N": "1"}}})
        self.assertEqual(changed["b"], {"M": {}})


if __name__ == "__main__":
    unittest.main()
