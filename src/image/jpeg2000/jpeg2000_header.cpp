// Boxes (ISO 15444-1, annex I) and the SIZ marker (A.5.1).
//
// libvips 8.14 counts components before they are decoded and believes that they begin in the corner: with a
// palette more are written than it made room for, and with an offset it hands out memory that was never
// written. So it sees no such file.
#include "jpeg2000_header.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "image/file_box.h"
#include "image/stored_number.h"

namespace imgmill {
namespace {

constexpr int kMostBoxes = 4096;  // a file has a handful

bool IsPaletteBox(const FileBox& box) {
  return box.Is("pclr") || box.Is("cmap");
}

Jpeg2000Colour ColourOf(const InputFile& file, const FileBox& box) {
  constexpr unsigned char kNumbered = 1;
  unsigned char content[7] = {};  // method, precedence, approximation, number
  if (box.end - box.at < sizeof content || !file.ReadExactly(box.at, content, sizeof content) ||
      content[0] != kNumbered)
    return Jpeg2000Colour::kNotNumbered;
  return static_cast<Jpeg2000Colour>(BigEndian(content + 3, 4));
}

/// One of more boxes than anybody writes counts as one with a palette.
void ReadHeaderBoxes(const InputFile& file, const FileBox& header, Jpeg2000Codestream& stream) {
  uint64_t at = header.at;
  bool coloured = false;
  for (int step = 0; step < kMostBoxes; ++step) {
    const std::optional<FileBox> box = ReadFileBox(file, at, header.end);
    if (!box) return;
    if (IsPaletteBox(*box)) stream.palette = true;
    // The first one counts, as it does for OpenJPEG.
    if (box->Is("colr") && !std::exchange(coloured, true)) stream.colour = ColourOf(file, *box);
    at = box->end;
  }
  stream.palette = true;
}

}  // namespace

std::optional<Jpeg2000Codestream> FindJpeg2000Codestream(const InputFile& file) {
  const auto end = static_cast<uint64_t>(file.bytes());
  unsigned char start[4] = {};
  if (!file.ReadExactly(0, start, sizeof start)) return std::nullopt;
  Jpeg2000Codestream stream = {0, end};
  if (BigEndian(start, 4) == 0xFF4FFF51) return stream;
  uint64_t at = 0;
  for (int step = 0; step < kMostBoxes; ++step) {
    const std::optional<FileBox> box = ReadFileBox(file, at, end);
    if (!box) return std::nullopt;
    if (box->Is("jp2c")) {
      stream.at = box->at;
      stream.end = box->end;
      return stream;
    }
    if (box->end > end) return std::nullopt;
    // OpenJPEG takes a palette outside of the header, too.
    if (IsPaletteBox(*box)) stream.palette = true;
    if (box->Is("jp2h")) ReadHeaderBoxes(file, *box, stream);
    at = box->end;
  }
  return std::nullopt;
}

Jpeg2000Layout ReadJpeg2000Layout(const InputFile& file) {
  Jpeg2000Layout layout;
  // SOC (2 bytes), SIZ's marker, length and capabilities (2 each), Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz,
  // XTOsiz, YTOsiz (4 each), the number of components (2), and for each its depth, XRsiz and YRsiz (1 each).
  constexpr size_t kSides = 8;
  constexpr size_t kComponents = kSides + 32;
  const std::optional<Jpeg2000Codestream> stream = FindJpeg2000Codestream(file);
  unsigned char siz[kComponents + 2] = {};
  std::vector<unsigned char> components;
  if (stream && file.ReadExactly(stream->at, siz, sizeof siz) && BigEndian(siz, 4) == 0xFF4FFF51) {
    components.resize(3 * static_cast<size_t>(BigEndian(siz + kComponents, 2)));
    if (!file.ReadExactly(stream->at + sizeof siz, components.data(), components.size())) components.clear();
  }
  if (components.empty()) {
    layout.code = Code::kMalformed;
    layout.refused = "a JPEG 2000 file whose boxes do not lead to an image's header";
    return layout;
  }
  const auto side = [&](size_t i) { return BigEndian(siz + kSides + 4 * i, 4); };
  layout.width = static_cast<int64_t>(side(0));
  layout.height = static_cast<int64_t>(side(1));
  layout.block_rows = static_cast<int64_t>(std::clamp<uint64_t>(side(5), 1, std::max<uint64_t>(1, side(1))));
  layout.tile_width = static_cast<int64_t>(side(4));
  layout.tile_height = static_cast<int64_t>(side(5));
  layout.components = static_cast<int64_t>(components.size() / 3);
  layout.at = stream->at;
  // One less than the depth, and whether the numbers are signed.
  const unsigned char depth = components[0];
  layout.bits = (depth & 0x7F) + 1;
  bool usual_sampling = true;
  bool all_whole = true;
  bool equal_bits = true;
  for (size_t i = 0; i < components.size(); i += 3) {
    const int most = i == 0 ? 1 : 2;  // the first one is the image itself; colour may be at half its size
    const int across = components[i + 1];
    const int down = components[i + 2];
    if (components[i] != depth) equal_bits = false;
    if (across != 1 || down != 1) all_whole = false;
    if (across < 1 || across > most || down < 1 || down > most) usual_sampling = false;
  }
  layout.plain_ycc = stream->colour == Jpeg2000Colour::kYcc && all_whole && layout.components >= 3;
  if (side(0) == 0 || side(1) == 0 || side(4) == 0 || side(5) == 0) {
    layout.code = Code::kMalformed;
    layout.refused = "a JPEG 2000 file whose image or tiles have no width or height";
  } else if (stream->palette) {
    layout.refused = "a JPEG 2000 image with a palette (convert it to PNG)";
  } else if (side(2) != 0 || side(3) != 0 || side(6) != 0 || side(7) != 0) {
    layout.refused = "a JPEG 2000 image that does not begin in the corner of its reference grid, at " +
                     std::to_string(side(2)) + "," + std::to_string(side(3)) + " (convert it to PNG)";
  } else if (!usual_sampling) {
    // libvips would take what lies behind the decoder's rows for pixels.
    layout.refused =
        "a JPEG 2000 image whose components are stored at other sizes than whole or half (the file may be "
        "damaged; convert it to PNG if it is not)";
  } else if (stream->colour == Jpeg2000Colour::kExtendedYcc) {
    layout.refused = "a JPEG 2000 image in e-sYCC (convert it to PNG)";
  } else if (layout.plain_ycc && layout.bits != 8 && layout.bits != 16) {
    layout.refused =
        "a JPEG 2000 image in sYCC of " + std::to_string(layout.bits) + " bits (convert it to PNG)";
  } else if (!equal_bits) {
    layout.refused = "a JPEG 2000 image whose components differ in depth (convert it to PNG)";
  }
  return layout;
}

}  // namespace imgmill
