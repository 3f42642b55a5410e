"""What may be passed to the functions of images (N, C, *L): convolution, pooling, resizing."""

from hypothesis import strategies as st

from minigrad.ops import Grid


@st.composite
def windows(draw, dims, longest=4, widest=2, most_padding=1):
    """Sizes for each of `dims` dimensions: of the input, of a window, stride, padding, dilation."""
    lengths, kernel, stride, padding, dilation = [], [], [], [], []
    for _ in range(dims):
        kernel.append(draw(st.integers(1, widest)))
        stride.append(draw(st.integers(1, 2)))
        padding.append(draw(st.integers(0, most_padding)))
        dilation.append(draw(st.integers(1, 2)))
        least = max(dilation[-1] * (kernel[-1] - 1) + 1 - 2 * padding[-1], 1)
        lengths.append(draw(st.integers(least, max(longest, least))))
    return tuple(map(tuple, (lengths, kernel, stride, padding, dilation)))


def counts(lengths, kernel, stride, padding, dilation):
    """How many windows there are in each dimension."""
    each = zip(lengths, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in each)


@st.composite
def channels(draw):
    """N, O, C and the number of groups."""
    groups, batch = draw(st.integers(1, 2)), draw(st.sampled_from((1, 2, 2, 0)))
    return batch, groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2)), groups


def given_shortly(draw, sizes):
    """Sizes as they may be passed: one number, if all are alike."""
    return sizes[0] if len(set(sizes)) == 1 and draw(st.booleans()) else sizes


@st.composite
def sums_of_three(draw, out):
    """Two of the shapes of x, w and z, the size of the third, which is `out`, and the grid."""
    geometry = draw(windows(draw(st.integers(1, 2)), longest=3))
    lengths, kernel, stride, padding, dilation = geometry
    batch, outputs, inputs, groups = draw(channels())
    size = counts(*geometry)
    shapes = {
        "x": (batch, inputs, *lengths),
        "weight": (outputs, inputs // groups, *kernel),
        "z": (batch, outputs, *size),
    }
    sizes = {"x": lengths, "weight": kernel, "z": size}
    given = {
        "z": (shapes["x"], shapes["weight"], draw(st.sampled_from((None, (outputs,))))),
        "x": (shapes["z"], shapes["weight"]),
        "weight": (shapes["x"], shapes["z"]),
    }
    return given[out], {"size": sizes[out], "grid": Grid(stride, padding, dilation, groups)}


@st.composite
def convolutions(draw, dims):
    """An input with or without a batch, a weight, perhaps a bias, and the arguments of conv1d, 2d or 3d."""
    geometry = draw(windows(dims, longest=3))
    lengths, kernel, stride, padding, dilation = geometry
    batch, outputs, inputs, groups = draw(channels())
    if draw(st.booleans()):
        padding = draw(st.sampled_from(("same", "valid")))
        stride = (1,) * dims if padding == "same" else stride
        lengths = tuple(max(n, d * (k - 1) + 1) for n, k, d in zip(lengths, kernel, dilation, strict=True))
    else:
        padding = given_shortly(draw, padding)
    leading = draw(st.sampled_from(((batch, inputs), (inputs,))))
    statics = {
        "stride": given_shortly(draw, stride),
        "padding": padding,
        "dilation": given_shortly(draw, dilation),
        "groups": groups,
    }
    bias = draw(st.sampled_from((None, (outputs,))))
    return ((*leading, *lengths), (outputs, inputs // groups, *kernel), bias), statics


@st.composite
def transposed_convolutions(draw, dims):
    """An input with or without a batch, a weight, perhaps a bias, and what else the function takes."""
    lengths, kernel, stride, padding, dilation = draw(windows(dims, longest=3))
    batch, outputs, inputs, groups = draw(channels())
    added = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    each = zip(lengths, kernel, stride, dilation, added, padding, strict=True)
    padding = tuple(0 if (n - 1) * s + d * (k - 1) + a + 1 <= 2 else p for n, k, s, d, a, p in each)
    leading = draw(st.sampled_from(((batch, inputs), (inputs,))))
    statics = {
        "stride": given_shortly(draw, stride),
        "padding": given_shortly(draw, padding),
        "output_padding": given_shortly(draw, added),
        "groups": groups,
        "dilation": given_shortly(draw, dilation),
    }
    bias = draw(st.sampled_from((None, (outputs,))))
    return ((*leading, *lengths), (inputs, outputs // groups, *kernel), bias), statics


# ------------------------------------------------------------------------------------------------ pooling


@st.composite
def images(draw, lengths, empty=True):
    """The shape of an image, or of several, with one or two channels."""
    leading = draw(st.sampled_from(((2, 2), (1, 1), (2,), (0, 1) if empty else (1, 2))))
    return (*leading, *lengths)


@st.composite
def pooled(draw, dims, dilated=False, padded=True, **statics):
    """One image or several, and the arguments of max_pool1d and its like."""
    lengths, kernel, stride, padding, dilation = draw(windows(dims, widest=3, most_padding=int(padded)))
    dilation = dilation if dilated else (1,) * dims
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(min(p, span // 2) for p, span in zip(padding, spans, strict=True))
    lengths = tuple(max(n, span) for n, span in zip(lengths, spans, strict=True))
    found = {name: draw(strategy) for name, strategy in statics.items()}
    found["kernel_size"] = given_shortly(draw, kernel)
    found["stride"] = draw(st.sampled_from((None, given_shortly(draw, stride))))
    if padded:
        found["padding"] = given_shortly(draw, padding)
    if dilated:
        found["dilation"] = given_shortly(draw, dilation)
    return (draw(images(lengths)),), {**found, "ceil_mode": draw(st.booleans())}


@st.composite
def adapted(draw, dims):
    """One image or several, and the size of the output; None leaves that of the input."""
    lengths = tuple(draw(st.integers(1, 4)) for _ in range(dims))
    wanted = [draw(st.integers(1, 4)) for _ in range(dims)]
    size = tuple(draw(st.sampled_from((n, n, None))) for n in wanted) if dims > 1 else wanted[0]
    return (draw(images(lengths, empty=False)),), {"output_size": draw(st.sampled_from((size, wanted[0])))}


@st.composite
def halved_images(draw, dims):
    """One image or several, and the sizes of windows that do not overlap."""
    kernel = tuple(draw(st.integers(1, 2)) for _ in range(dims))
    lengths = tuple(draw(st.integers(k, 4)) for k in kernel)
    return (draw(images(lengths, empty=False)),), {"kernel_size": kernel, "lengths": lengths}


# ------------------------------------------------------------------------------------------------ folding


@st.composite
def unfolded(draw, back=False):
    """One image or several, or their windows as columns, and how the windows lie."""
    lengths, kernel, stride, padding, dilation = geometry = draw(windows(2, longest=3))
    statics = {
        "kernel_size": given_shortly(draw, kernel),
        "dilation": given_shortly(draw, dilation),
        "padding": given_shortly(draw, padding),
        "stride": given_shortly(draw, stride),
    }
    if not back:
        return (draw(images(lengths, empty=False)),), statics
    places, count = kernel[0] * kernel[1], counts(*geometry)
    leading = draw(st.sampled_from(((2, places), (2 * places,))))
    return ((*leading, count[0] * count[1]),), {"output_size": lengths, **statics}


@st.composite
def windows_shown(draw, back=False):
    """Images or their windows, in one or two dimensions, for the two cards."""
    lengths, kernel, stride, padding, dilation = geometry = draw(windows(draw(st.integers(1, 2)), longest=3))
    grid, size = Grid(stride, padding, dilation), counts(*geometry)
    if back:
        return ((2, 1, *kernel, *size),), {"size": lengths, "grid": grid}
    return ((1, 2, *lengths),), {"kernel": kernel, "size": size, "grid": grid}


@st.composite
def shuffled(draw, back=False):
    """Images, and the number r: of r² channels to a place, or of rows and columns to a channel."""
    factor, leading = draw(st.integers(1, 2)), draw(st.sampled_from(((), (2,), (1, 2))))
    channels, height, width = (draw(st.integers(1, 2)) for _ in range(3))
    if back:
        shape = (*leading, channels, height * factor, width * factor)
        return (shape,), {"downscale_factor": factor}
    return ((*leading, channels * factor**2, height, width),), {"upscale_factor": factor}


@st.composite
def shuffled_channels(draw):
    """Images, and the number of groups of their channels."""
    groups, size = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    return ((2, groups * size, *draw(st.sampled_from(((2,), (2, 1))))),), {"groups": groups}


# ------------------------------------------------------------------------------------------------ resizing


@st.composite
def resized(draw, mode, antialias=False):
    """Images, and their new size, or what it is multiplied by."""
    dims = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(mode) or draw(st.integers(1, 3))
    least = 2 if antialias else 1  # of an image one column wide PyTorch takes the first row only
    lengths = tuple(draw(st.integers(least, 4)) for _ in range(dims))
    statics = {"mode": mode}
    if draw(st.booleans()):
        statics["size"] = given_shortly(draw, tuple(draw(st.integers(least, 5)) for _ in range(dims)))
    else:
        factors = tuple(draw(st.sampled_from((1.0, 1.5, 2.0, 2.6, 3.0))) for _ in range(dims))
        statics["scale_factor"] = given_shortly(draw, factors)
        statics["recompute_scale_factor"] = draw(st.sampled_from((None, False, True)))
    if mode not in ("nearest", "nearest-exact", "area"):
        statics["align_corners"] = draw(st.sampled_from((None, False, True)))
    if antialias:
        statics["antialias"] = True
    return ((draw(st.integers(1, 2)), 1, *lengths),), statics
