// A column of texts out of a Parquet file, by the reader that `embed --import` uses.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

#include "imgmill/tables/parquet_reader.h"

namespace imgmill::process_test {

/// A missing one is empty. The test ends if the column cannot be read.
inline std::vector<std::string> TextsOf(const std::string& path, const std::string& name) {
  const Result<std::unique_ptr<ParquetFile>> file = ParquetFile::Open(path);
  REQUIRE(file.ok());
  REQUIRE((*file)->Needs(name).ok());
  const Result<std::unique_ptr<ParquetColumn>> column = (*file)->Read(name);
  REQUIRE(column.ok());
  std::vector<std::string> texts((*file)->rows());
  for (std::string& text : texts) REQUIRE((*column)->NextText(text).ok());
  return texts;
}

/// Numbers as they lie in a page of plain values.
template <typename T>
std::string Plain(const std::vector<T>& numbers) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

}  // namespace imgmill::process_test
