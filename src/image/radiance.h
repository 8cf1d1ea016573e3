// Radiance files, as far as libvips is not to be trusted with them: what their header says, and their first
// line, of which it knows one wording only.
#pragma once

#include <optional>

#include "open_file.h"
#include "vips_load.h"
#include "vips_session.h"

namespace imgmill {

/// Why libvips 8.14 would read it wrongly: it takes every file for RGBE whose rows go from left to right and
/// top to bottom. Nothing where it reads it well, or will say itself what is wrong.
std::optional<Error> RefuseRadiance(const InputFile& file);

/// What libvips is to read: the file, if it is a Radiance one with the first line that libvips knows. Null:
/// libvips' error buffer says why.
GRef<VipsSource> SourceOf(const InputFile& file, const FileHead& head);

}  // namespace imgmill
