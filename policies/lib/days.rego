# METADATA
# description: >-
#   Days, counted by the digits of dates of one fixed form: OPA's WebAssembly has no functions for time, and the moment
#   of evaluation is part of the submission.
package mlpolicy.lib.days

digits := "0123456789"

powers := [1, 10, 100, 1000]

lengths := [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

# Days from 0001-01-01 to a date of the Gregorian calendar, undefined unless it is written YYYY-MM-DD and exists.
number(text) := ((whole_years(year) + sum(array.slice(lengths, 0, month - 1))) + leap_day(year, month)) + day if {
	is_string(text)
	parts := split(text, "-")
	[count(part) | some part in parts] == [4, 2, 2]
	[year, month, day] := [whole(part) | some part in parts]
	year > 0
	month in numbers.range(1, 12)
	day in numbers.range(1, length(year, month))
}

# The day of a moment written YYYY-MM-DDThh:mm:ssZ, which is in UTC; undefined for any other form.
of_moment(text) := number(substring(text, 0, 10)) if {
	is_string(text)
	count(text) == 20
	substring(text, 10, 1) == "T"
	substring(text, 19, 1) == "Z"
	parts := split(substring(text, 11, 8), ":")
	[count(part) | some part in parts] == [2, 2, 2]
	count([1 | some part in parts; whole(part) < 61]) == 3
}

whole(text) := sum(values) if {
	trim(text, digits) == ""
	values := [value |
		some place in numbers.range(1, count(text))
		value := indexof(digits, substring(text, place - 1, 1)) * powers[count(text) - place]
	]
}

whole_years(year) := ((365 * (year - 1)) + floor((year - 1) / 4)) - (floor((year - 1) / 100) - floor((year - 1) / 400))

is_leap(year) if {
	year % 4 == 0
	year % 100 > 0
}

is_leap(year) if year % 400 == 0

leap_day(year, month) := 1 if {
	is_leap(year)
	month > 2
} else := 0

length(year, month) := 29 if {
	is_leap(year)
	month == 2
} else := lengths[month - 1]
