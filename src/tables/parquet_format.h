// The numbers that Parquet gives to things.
#pragma once

#include <cstdint>

namespace imgmill::parquet {

/// Source: parquet.thrift of the format's specification.
inline constexpr char kMagic[] = "PAR1";
inline constexpr int32_t kBoolean = 0, kInt64 = 2, kFloat = 4, kDouble = 5;  // types
inline constexpr int32_t kByteArray = 6, kFixedLength = 7;
inline constexpr int32_t kRequired = 0, kOptional = 1, kRepeated = 2;                     // repetitions
inline constexpr int32_t kPlain = 0, kPlainDictionary = 2, kRle = 3, kRleDictionary = 8;  // encodings
inline constexpr int32_t kByteStreamSplit = 9;
inline constexpr int32_t kUncompressed = 0, kSnappy = 1, kGzip = 2, kZstd = 6;  // codecs
inline constexpr int32_t kDataPage = 0, kDictionaryPage = 2, kDataPageV2 = 3;   // pages
inline constexpr int32_t kUtf8 = 0, kList = 3;                                  // converted types

}  // namespace imgmill::parquet
