// Checkpoints made by hand, byte by byte, from the formats' descriptions: what no torch.save would write.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "torch/little_endian.h"

/// Pickle opcodes of protocol 2, spelled out.
namespace pickled {

inline std::string Text(const std::string& text) {
  return "X" + LittleEndian(text.size(), 4) + text;
}
inline std::string Int(int64_t value) {
  return "\x8a\x08" + LittleEndian(static_cast<uint64_t>(value), 8);  // LONG1
}
inline std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string Tuple(const std::vector<std::string>& items) {
  std::string tuple = "(";
  for (const std::string& item : items) tuple += item;
  return tuple + "t";
}
inline std::string Ints(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) items.push_back(Int(value));
  return Tuple(items);
}
inline std::string Storage(const std::string& key, int64_t elements,
                           const std::string& type = "FloatStorage") {
  return Tuple({Text("storage"), Global("torch", type), Text(key), Text("cpu"), Int(elements)}) + "Q";
}
inline std::string Tensor(const std::string& storage, int64_t offset, const std::vector<int64_t>& shape,
                          const std::vector<int64_t>& strides) {
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple({storage, Int(offset), Ints(shape), Ints(strides), "\x89",
                Global("collections", "OrderedDict") + ")R"}) +
         "R";
}
inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string dict = "}(";
  for (const auto& [key, value] : members) dict += Text(key) + value;
  return dict + "u";
}

}  // namespace pickled

/// One storage, "0", of the given floats, in the old format.
inline std::string LegacyCheckpoint(const std::string& object, const std::vector<float>& values) {
  const std::string proto = "\x80\x02";
  std::string file = proto + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  file += proto + "M" + LittleEndian(1001, 2) + ".";
  file += proto + "}(" + pickled::Text("little_endian") + "\x88" + pickled::Text("protocol_version") + "M" +
          LittleEndian(1001, 2) + "u.";
  file += proto + object + ".";
  file += proto + "](" + pickled::Text("0") + "e.";
  file += LittleEndian(values.size(), 8);
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return file;
}

struct ZipMember {
  std::string name, data;
  uint16_t method = 0;
  uint32_t crc_change = 0;  ///< flips bits of the recorded checksum
};

inline uint32_t Crc32(const std::string& data) {
  uint32_t crc = ~0u;
  for (const char c : data) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
  }
  return ~crc;
}

inline std::string Zip(const std::vector<ZipMember>& members) {
  std::string file, directory;
  for (const ZipMember& member : members) {
    const std::string common = LittleEndian(20, 2) + LittleEndian(0, 2) + LittleEndian(member.method, 2) +
                               LittleEndian(0, 4) + LittleEndian(Crc32(member.data) ^ member.crc_change, 4) +
                               LittleEndian(member.data.size(), 4) + LittleEndian(member.data.size(), 4) +
                               LittleEndian(member.name.size(), 2) + LittleEndian(0, 2);
    directory += "PK\x01\x02" + LittleEndian(20, 2) + common + LittleEndian(0, 2) + LittleEndian(0, 2) +
                 LittleEndian(0, 2) + LittleEndian(0, 4) + LittleEndian(file.size(), 4) + member.name;
    file += "PK\x03\x04" + common + member.name + member.data;
  }
  const std::string end = "PK\x05\x06" + LittleEndian(0, 4) + LittleEndian(members.size(), 2) +
                          LittleEndian(members.size(), 2) + LittleEndian(directory.size(), 4) +
                          LittleEndian(file.size(), 4) + LittleEndian(0, 2);
  return file + directory + end;
}
