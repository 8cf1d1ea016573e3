// What a file format can hold of an image, and the conversion to that.
#pragma once

#include <string>
#include <vector>

#include "imgmill/image/writer.h"

namespace imgmill {

/// The nearest that `format` can hold: JPEG without alpha, JPEG and WebP with 8 bits, all without float.
Layout StoredForm(const Layout& layout, FileFormat format);

/// Says what StoredForm took away.
void NoteConversions(const Layout& layout, const Layout& stored, FileFormat format,
                     std::vector<std::string>& notes);

/// One row from `layout` to `stored`: alpha flattened on white, depth rounded.
void StoreRow(const uint8_t* from, const Layout& layout, const Layout& stored, uint8_t* to);

}  // namespace imgmill
