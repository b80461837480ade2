"""What a scale may show for some goods before we take it for a slip."""

import pytest

from recycling.errors import InvalidInput
from recycling.policy.plausible_mass import check_plausible


# a fridge of 40,800 g: 10 x 40,800 + 5,000 above; a tenth, 4,080, is less than the slack, so anything below
# forty of 1,632,000 g: 163,200 - 5,000 below; of 15 g more, a tenth is 163,201.5 and the whole gram above it counts
@pytest.mark.parametrize(
    ("table_g", "least_g", "most_g"),
    [(40_800, 0, 413_000), (1_632_000, 158_200, 16_325_000), (1_632_015, 158_202, 16_325_150)],
)
def test_a_tenth_to_ten_times_the_tables_mass_is_taken_with_a_scale_division_to_spare(
    table_g: int, least_g: int, most_g: int
) -> None:
    for mass_g in {least_g, table_g, most_g}:
        check_plausible(mass_g, table_g=table_g, goods="1 × 电冰箱", fields="net_g")
    for mass_g in (least_g - 1, most_g + 1):
        with pytest.raises(InvalidInput):
            check_plausible(mass_g, table_g=table_g, goods="1 × 电冰箱", fields="net_g")


def test_the_refusal_names_the_goods_both_bounds_and_what_to_check_in_both_languages() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_plausible(55_000_000, table_g=90, goods="1 × 移动通信手持机", fields="gross_g, tare_g")
    assert refused.value.message == (
        "55000 kg for 1 × 移动通信手持机 cannot be: by the type table it is about 0.09 kg, and 0 kg to 5.9 kg are"
        " taken; check gross_g, tare_g, the units and the item type"
        " / 1 × 移动通信手持机 重 55000 kg 不合常理（品类表约 0.09 kg，可接受 0 kg 至 5.9 kg），请核对读数、件数与品类"
    )
