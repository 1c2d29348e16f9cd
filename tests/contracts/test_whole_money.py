"""P12, by reading: no float, and no division that makes one, comes near a sum of money."""

import ast
from pathlib import Path

import handsel

SOURCE = Path(handsel.__file__).parent
OUTSIDE = {
    *("sales/tax/vies.py", "sales/payments/stripe_api.py"),
    *("sales/payments/paypal_client.py", "sales/payments/paypal_certificates.py"),
}
"""Seconds of patience are no money."""
PATHS = {"sales/payments/test.py"}
"""Where a slash joins folders."""


def found_in(path: Path) -> list[str]:
    """Give what makes a float in a file, with its line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{node.lineno}: {node.value}")
        elif isinstance(node, ast.Name) and node.id in ("float", "round"):
            found.append(f"{node.lineno}: {node.id}")
    return found


def test_sums_of_money_know_whole_units_alone() -> None:
    files = [*(SOURCE / "sales").rglob("*.py"), SOURCE / "kit/money.py"]
    wrong = {
        name: found
        for path in files
        if (name := path.relative_to(SOURCE).as_posix()) not in OUTSIDE | PATHS
        and (found := found_in(path))
    }

    assert len(files) > 50
    # A rate is written, not reckoned with; Decimal stays exact.
    [(name, [rate])] = wrong.items()
    assert name == "kit/money.py"
    assert "Decimal(basis_points)" in rate


def test_a_float_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("a = 1.5\nb = price / 2\nprice /= 3\nc = float(a)\n")

    assert len(found_in(path)) == 4
