// jpeglib.h as it wants to be included: it uses FILE and size_t without declaring them.
#pragma once

// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on
