// Small facts of a content in the row of a file that has it: a known file is one row then, and its neighbours
// in the listing are its neighbours in the table. Facts by content lie all over theirs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgmill {

/// The value of the fact of that name among `facts`; nothing where it is not there, or they are damaged.
std::optional<std::string_view> FactBeside(std::string_view facts, std::string_view name);

/// Adds the fact, or gives it another value. Where `facts` would become longer than 512 bytes, it is not
/// there afterwards: long rows would make the table of files slow.
void PutFactBeside(std::string& facts, std::string_view name, std::string_view value);

}  // namespace imgmill
