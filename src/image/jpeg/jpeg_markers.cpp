// A marker is judged by the name that it begins with. libjpeg's own keeping, jpeg_save_markers, knows only
// kinds of markers.
#include "jpeg_markers.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace imgmill {
namespace {

using namespace std::string_view_literals;

// One more than a profile can have: where a file has more, libjpeg sees that they do not add up.
constexpr int kMostProfileParts = 256;
constexpr size_t kLongestName = 12;

struct Used {
  int marker;
  std::string_view name;
  int most;
};
constexpr Used kUsed[] = {{JPEG_APP0 + 1, "Exif\0\0"sv, 1},
                          {JPEG_APP0 + 2, "MPF\0"sv, 1},
                          {JPEG_APP0 + 2, "ICC_PROFILE\0"sv, kMostProfileParts}};

void Fill(jpeg_decompress_struct& info) {
  if (info.src->bytes_in_buffer == 0) info.src->fill_input_buffer(&info);
}

void Take(jpeg_decompress_struct& info, JOCTET* to, size_t bytes) {
  while (bytes > 0) {
    Fill(info);
    const size_t here = std::min(bytes, info.src->bytes_in_buffer);
    std::memcpy(to, info.src->next_input_byte, here);
    info.src->next_input_byte += here;
    info.src->bytes_in_buffer -= here;
    to += here;
    bytes -= here;
  }
}

bool IsCalled(const jpeg_marker_struct& marker, const Used& used) {
  return marker.marker == used.marker && marker.data_length > used.name.size() &&
         std::memcmp(marker.data, used.name.data(), used.name.size()) == 0;
}

// Whether the marker is one of those, and not one too many.
bool IsUsed(const jpeg_decompress_struct& info, const jpeg_marker_struct& marker) {
  const Used* const used = std::find_if(std::begin(kUsed), std::end(kUsed),
                                        [&](const Used& each) { return IsCalled(marker, each); });
  if (used == std::end(kUsed)) return false;
  int kept = 0;
  for (const jpeg_marker_struct* each = info.marker_list; each != nullptr; each = each->next)
    kept += IsCalled(*each, *used) ? 1 : 0;
  return kept < used->most;
}

boolean OnMarker(j_decompress_ptr info) {
  JOCTET length[2];
  Take(*info, length, sizeof length);
  const int bytes = (length[0] << 8 | length[1]) - 2;
  if (bytes <= 0) return TRUE;
  JOCTET name[kLongestName];
  jpeg_marker_struct marker{};
  marker.marker = static_cast<UINT8>(info->unread_marker);
  marker.original_length = marker.data_length = static_cast<unsigned>(bytes);
  const size_t named = std::min(marker.data_length, unsigned{kLongestName});
  Take(*info, name, named);
  marker.data = name;
  if (!IsUsed(*info, marker)) {
    info->src->skip_input_data(info, bytes - static_cast<int>(named));
    return TRUE;
  }
  const auto object = reinterpret_cast<j_common_ptr>(info);
  void* const room = info->mem->alloc_large(object, JPOOL_IMAGE, sizeof marker + marker.data_length);
  marker.data = static_cast<JOCTET*>(room) + sizeof marker;
  std::memcpy(marker.data, name, named);
  Take(*info, marker.data + named, marker.data_length - named);
  jpeg_saved_marker_ptr* end = &info->marker_list;
  while (*end != nullptr) end = &(*end)->next;
  *end = static_cast<jpeg_marker_struct*>(std::memcpy(room, &marker, sizeof marker));
  return TRUE;
}

}  // namespace

void KeepUsedMarkers(jpeg_decompress_struct& info) {
  jpeg_set_marker_processor(&info, JPEG_APP0 + 1, &OnMarker);
  jpeg_set_marker_processor(&info, JPEG_APP0 + 2, &OnMarker);
}

}  // namespace imgmill
