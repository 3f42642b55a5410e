"""Where the elements of a tensor lie: strides in elements, order, address, device."""

import pytest

import minigrad as mg


def test_strides_count_elements_and_tell_a_transpose():
    x = mg.zeros(2, 3, 4)
    assert x.stride() == (12, 4, 1)
    assert (x.stride(-1), x.transpose(0, 2).stride(0)) == (1, 1)
    assert x.is_contiguous() is True
    assert x.transpose(0, 2).is_contiguous() is False
    assert x.transpose(0, 2).contiguous().is_contiguous() is True
    with pytest.raises(IndexError, match=r"stride\(\)"):
        x.stride(3)


def test_a_view_has_the_address_of_what_it_shows():
    x = mg.arange(6)
    assert x.data_ptr() == x.reshape(2, 3).data_ptr() != x.clone().data_ptr()
    assert x[2:].data_ptr() - x.data_ptr() == 2 * x.element_size()


def test_the_cpu_has_no_number():
    assert mg.zeros(1).get_device() == -1
